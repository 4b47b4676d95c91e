"""Where the embedded servers keep their data, which user runs them, and where they listen."""

import hashlib
import os
import pwd
import stat
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypedDict

PROJECT = Path(__file__).resolve().parent.parent.parent
# A socket's path may have 103 bytes on macOS and 107 on Linux.
LONGEST_SOCKET_PATH = 100
# Not tempfile's choice: every process must find the same one. `make` refuses a folder of somebody else.
SHORT = Path("/tmp")  # noqa: S108


class EmbeddedError(Exception):
    """An embedded server could not be started or stopped."""


class Login(TypedDict, total=False):
    """The arguments of `subprocess` that start a program as somebody else."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Home:
    """`owner` runs the servers and owns `folder`; root hands them to somebody else, as PostgreSQL demands."""

    folder: Path
    sockets: Path
    owner: int
    group: int

    @property
    def login(self) -> Login:
        if os.geteuid() == self.owner:
            return {}
        return {"user": self.owner, "group": self.group, "extra_groups": []}

    def make(self) -> None:
        """Create the folders, closed to everybody but the owner, and refuse those of somebody else."""
        for folder in (self.folder, self.sockets):
            folder.parent.mkdir(parents=True, exist_ok=True)
            if not folder.exists():
                folder.mkdir(mode=0o700)
                self.give(folder)
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != self.owner:
                raise EmbeddedError(f"{folder} belongs to somebody else; move it away")

    def give(self, path: Path) -> None:
        if os.geteuid() != self.owner:
            os.chown(path, self.owner, self.group)


def local() -> Path:
    """What belongs to this copy of the project on this machine."""
    return Path(os.environ.get("TRILHA_LOCAL_DIR") or PROJECT / ".local").absolute()


@cache
def find() -> Home:
    """`.local/embedded` of the project, or the nearest place that the owner can use.

    That is `/var/lib/trilha` when root runs a project that others cannot enter (under `/root`, say),
    `~/.local/state/trilha` or `/tmp` when a user runs one that is read-only or was first run by root.
    """
    wanted = local() / "embedded"
    owner, group = _owner(wanted, local())
    digest = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12]
    if os.geteuid() == 0:
        places = [wanted, Path("/var/lib/trilha") / digest]
    else:
        state = Path(os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser())
        places = [wanted, state / "trilha" / digest, SHORT / f"trilha-{owner}-{digest}"]
    folder = next((place for place in places if _usable(place, owner)), places[-1])
    sockets = folder / "run"
    if len(os.fsencode(sockets / ".s.PGSQL.5432")) > LONGEST_SOCKET_PATH or set(str(sockets)) & set(",'\""):
        sockets = SHORT / f"trilha-run-{owner}-{digest}"
    return Home(folder, sockets, owner, group)


def _owner(*folders: Path) -> tuple[int, int]:
    """Ourselves; for root whoever owns the project, or `nobody` where that is root again."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    for folder in (*folders, PROJECT):
        if folder.exists() and (found := folder.stat()).st_uid != 0:
            return found.st_uid, found.st_gid
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _usable(folder: Path, owner: int) -> bool:
    if folder.exists() and folder.stat().st_uid != owner:
        return False
    present = next(path for path in (folder, *folder.parents) if path.exists())
    if os.geteuid() == 0:
        return can_enter(present, owner)
    return os.access(present, os.W_OK | os.X_OK)


def can_enter(folder: Path, owner: int) -> bool:
    """Whether every folder on the way is open to the owner; when in doubt (groups, lists), no."""
    for path in (folder, *folder.parents):
        found = path.stat()
        needed = stat.S_IXUSR if found.st_uid == owner else stat.S_IXOTH
        if not found.st_mode & needed:
            return False
    return True
