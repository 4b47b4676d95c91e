"""P28: what a person is told is everything that is held of them, and nothing of anybody else."""

import json
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any, Final
from zipfile import ZipFile

from config.loop.checks import Check
from consent.models import PrivacyArchive, PrivacyRequest
from consent.privacy import export, requests
from consent.privacy.requests import Asking
from customers.clock import utcnow
from customers.models import Event, EventPayload, Identifier, Trait
from tests.consent.marked import Marked
from tests.promises.erasing import PATIENCE, tell, told
from tests.promises.letters import Letters
from tests.promises.plan import Promise
from tests.promises.stage import Stage

_STEM: Final = "told7q"


def run(stage: Stage) -> Iterator[Check]:
    stage.start_web(2)
    stage.start_engine()
    Letters(stage)
    everybody = [Marked(f"{_STEM}{number:05d}x") for number in range(stage.size(200, 12))]
    messages = [message for one in everybody for message in told(one)]
    messages += [_invited(one, everybody[number - 1]) for number, one in enumerate(everybody)]
    tell(stage.partner(), messages)
    stage.settle("the letters")
    for one in everybody:
        _ask(stage, one)
    stage.until(lambda: PrivacyArchive.objects.count() == len(everybody), "the files", PATIENCE)
    archives = PrivacyArchive.objects.select_related("request")
    files = {_whose(archive, everybody): _opened(archive) for archive in archives}
    yield Check("people who asked", len(everybody), len(files))
    yield Check("  who are told of somebody else", 0, sum(_tells_of_others(one, files[one]) for one in everybody))
    yield Check("  of whom not every event is told", 0, sum(_events(one, files[one]) for one in everybody))
    yield Check("  of whom not every trait is", 0, sum(_traits(one, files[one]) for one in everybody))
    untold = sum(one("ip") not in files[one]["consent.json"] for one in everybody)
    yield Check("  whose evidence of consent is not", 0, untold)
    letters = sum(len(_rows(one, "messages", "message")) for one in files.values())
    yield Check("letters told of", 2 * len(everybody), letters)
    refused = sum(len(_rows(one, "quarantine", "quarantinedevent")) for one in files.values())
    yield Check("refused items told of", len(everybody), refused)


def _invited(one: Marked, friend: Marked) -> dict[str, Any]:
    said = {"friend": {"email": friend.email, "called": friend("called")}, "to": friend.email, "own": one("own")}
    return {"name": "friend.invited", "identifiers": {"user_id": one.user}, "properties": said}


def _ask(stage: Stage, one: Marked) -> None:
    names = requests.naming("email", one.email, [], utcnow())
    asking = Asking(brand=stage.brand, kind="access", law="gdpr", channel="form", names=names, assurance=4)
    export.ask(requests.take_down(asking, utcnow()), utcnow(), None)


def _whose(archive: PrivacyArchive, everybody: Sequence[Marked]) -> Marked:
    request: PrivacyRequest = archive.request
    return next(one for one in everybody if one.email == request.subject[0][2])


def _opened(archive: PrivacyArchive) -> dict[str, str]:
    with ZipFile(BytesIO(export.opened(archive, utcnow()))) as file:
        return {name: file.read(name).decode() for name in file.namelist()}


def _rows(files: dict[str, str], store: str, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(files[f"{store}.json"])["tables"][table]
    return found


def _tells_of_others(one: Marked, files: dict[str, str]) -> bool:
    text = "".join(files.values())
    return text.count(_STEM) != text.count(one.stem)


def _events(one: Marked, files: dict[str, str]) -> bool:
    """What the database holds, but for the friend who is masked."""
    profiles = Identifier.objects.filter(value__startswith=one.stem).values("profile_id")
    ids = Event.objects.filter(profile_id__in=profiles).values("id")
    held = [row.payload for row in EventPayload.objects.filter(event_id__in=ids).order_by("event_id")]
    for payload in held:
        if "friend" in (said := payload.get("properties") or {}):
            said |= {"friend": {"email": "•••", "called": "•••"}, "to": "•••"}
    return [row["content"] for row in _rows(files, "events", "event")] != held


def _traits(one: Marked, files: dict[str, str]) -> bool:
    profiles = Identifier.objects.filter(value__startswith=one.stem).values("profile_id")
    held = list(Trait.objects.filter(profile_id__in=profiles).order_by("id").values_list("name", "value"))
    return [(row["name"], row["value"]) for row in _rows(files, "traits", "trait")] != held


PROMISE = Promise(
    "P28",
    "Export: everything that is held of a person, and nothing of anybody else",
    run,
    controls=("others are not masked",),
    code=("customers/privacy/", "consent/privacy/"),
    minutes=8,
)
