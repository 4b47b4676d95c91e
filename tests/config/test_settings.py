"""Settings come from the environment, and production refuses what is unsafe."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent
SAFE = {
    "TRILHA_ENV": "production",
    "SECRET_KEY": "s" * 50,
    "ALLOWED_HOSTS": "trilha.example.com",
    "TRILHA_PUBLIC_URL": "https://trilha.example.com",
    "DATABASE_URL": "postgres://app:secret@db.example.com/trilha",
    "BROKER_URL": "amqp://app:secret@mq.example.com//",
    "CREDENTIAL_KEYS": "k1:" + "A" * 43 + "=",
    "ERASURE_KEY": "A" * 43 + "=",
    "TRILHA_ANCHOR_DIR": "/var/lib/trilha-anchors",
}
SHOW = """
import json
from config import settings
print(json.dumps({name: getattr(settings, name) for name in
    ("DEBUG", "ALLOWED_HOSTS", "TRILHA_PUBLIC_URL", "SESSION_COOKIE_SECURE", "LEASE_SECONDS")}))
"""


def load(**environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", SHOW],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_development_needs_nothing_and_shows_no_debug_pages() -> None:
    loaded = json.loads(load().stdout)
    assert loaded == {
        "DEBUG": False,
        "ALLOWED_HOSTS": ["localhost", "127.0.0.1", "[::1]"],
        "TRILHA_PUBLIC_URL": "http://127.0.0.1:8000",
        "SESSION_COOKIE_SECURE": False,
        "LEASE_SECONDS": 60.0,
    }


def test_production_starts_with_everything_set() -> None:
    loaded = json.loads(load(**SAFE, LEASE_SECONDS="1.5").stdout)
    assert loaded == {
        "DEBUG": False,
        "ALLOWED_HOSTS": ["trilha.example.com"],
        "TRILHA_PUBLIC_URL": "https://trilha.example.com",
        "SESSION_COOKIE_SECURE": True,
        "LEASE_SECONDS": 1.5,
    }


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY needs 50 own characters"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY needs 50 own characters"),
        ({"DEBUG": "1"}, "DEBUG must be off"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS is missing"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS must not hold a wildcard"),
        ({"TRILHA_PUBLIC_URL": "http://trilha.example.com"}, "TRILHA_PUBLIC_URL must start with https://"),
        ({"DATABASE_URL": ""}, "DATABASE_URL is missing"),
        ({"BROKER_URL": ""}, "BROKER_URL is missing"),
        ({"CREDENTIAL_KEYS": ""}, "CREDENTIAL_KEYS is missing"),
        (
            {"CREDENTIAL_KEYS": "k1:dHJpbGhhLWRldmVsb3BtZW50LWtleS0zMi1ieXRlcyE="},
            "CREDENTIAL_KEYS must not hold the development key",
        ),
        ({"ERASURE_KEY": ""}, "ERASURE_KEY is missing"),
        (
            {"ERASURE_KEY": "dHJpbGhhLWVyYXN1cmUtZGV2ZWxvcG1lbnQtMzJieXQ="},
            "ERASURE_KEY must not be the development key",
        ),
        ({"TRILHA_ANCHOR_DIR": ""}, "TRILHA_ANCHOR_DIR is missing"),
        ({"TRILHA_ENV": "prod"}, "TRILHA_ENV must be development or production"),
    ],
)
def test_production_refuses(change: dict[str, str], fault: str) -> None:
    loaded = load(**SAFE | change)
    assert loaded.returncode == 1
    assert loaded.stderr.splitlines()[-1].endswith(fault)


def test_production_names_all_faults_at_once() -> None:
    last = load(TRILHA_ENV="production").stderr.splitlines()[-1]
    assert last.count(";") == 7
