"""What tests need that start processes of their own on the test's database."""

from urllib.parse import quote, urlencode

from django.db import connection


def database_url() -> str:
    """The test database, also where the server listens on a socket in a folder."""
    info = connection.get_connection_params()
    who = quote(str(info["user"])) + (f":{quote(str(info['password']))}" if info.get("password") else "")
    place = {key: str(info[key]) for key in ("host", "port") if info.get(key)}
    return f"postgres://{who}@/{info['dbname']}?{urlencode(place)}"
