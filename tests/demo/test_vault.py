"""What the demo remembers in the clear: for its owner only, and only once."""

import stat
from pathlib import Path

from config.demo.vault import Vault, close_vault, open_vault, path_of


def test_passwords_stay_what_they_were(tmp_path: Path) -> None:
    path = tmp_path / "vault.json"
    vault = open_vault(path, ["ana"])
    close_vault(path, vault)
    again = open_vault(path, ["ana", "rui"])
    assert again.passwords["ana"] == vault.passwords["ana"]
    assert len({*again.passwords.values()}) == 2


def test_nobody_else_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "vault.json"
    close_vault(path, Vault(partner_token="t"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_every_database_has_its_own() -> None:
    assert path_of("postgres:///one") != path_of("postgres:///two")
    assert "one" not in path_of("postgres:///one").name
