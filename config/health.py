"""What a load balancer asks: whether the process answers, and whether it could store what it would accept."""

from django.db import Error as DatabaseFailure
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

_TEXT = "text/plain"
# Tables do not go away while a process runs: once they are there, nobody looks again.
_migrated = False


def live(request: HttpRequest) -> HttpResponse:
    """This process answers; whether its database does is another question."""
    return HttpResponse("ok\n", content_type=_TEXT)


@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """Whether calls may be sent here: 503 with the reason in a word where nothing could be stored."""
    fault = _fault()
    return HttpResponse(f"{fault or 'ok'}\n", content_type=_TEXT, status=503 if fault else 200)


def _fault() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('transaction_read_only')::bool")
            [read_only] = cursor.fetchone()
        if read_only:
            return "database_read_only"
        return "" if _is_migrated() else "migrations_missing"
    except DatabaseFailure:
        return "database_away"


def _is_migrated() -> bool:
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _migrated
