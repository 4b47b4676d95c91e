"""Every answer tells the browser whom to trust."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "path", ["/admin/login/", "/u/bad-token", "/healthz/live", "/v1/track", "/nowhere", "/admin/x/"]
)
def test_nobody_may_frame_a_page_or_guess_its_kind(path: str, client: Client) -> None:
    headers = client.get(path).headers
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/admin/customers/identifierkind/%00/change/", "/admin/channels/message/?state=%00"])
def test_a_nul_names_no_page(path: str, client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    assert client.get(path).status_code == 400


@pytest.mark.parametrize("path", ["/admin/login/", "/u/bad-token"])
def test_no_page_runs_a_script_of_its_own(path: str, client: Client) -> None:
    policy = client.get(path).headers["Content-Security-Policy"]
    scripts = next((part for part in policy.split("; ") if part.startswith("script-src")), "")
    assert "unsafe-inline" not in scripts
    assert "default-src 'self'" in policy or "default-src 'none'" in policy
