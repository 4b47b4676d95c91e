"""Everything held of one person in one file: JSON for machines, and a page for people in each language."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.models import PrivacyArchive, PrivacyRequest
from consent.privacy import requests
from consent.privacy.readable import LANGUAGES, page
from customers import jobs
from customers.jobs import Slice
from customers.models import Job
from customers.privacy import rows
from customers.privacy.others import Own
from customers.privacy.stores import Store, Table, stores
from customers.privacy.subject import Subject
from customers.sealing import open_sealed, seal

if TYPE_CHECKING:
    from customers.sight import Person

EXPORT: Final = "privacy_export"
FORMAT: Final = "trilha-person-1"
# Gathering cannot be cut; whoever has lived through very much takes a while.
_LONGEST: Final = timedelta(minutes=15)


class NotThere(Exception):
    """The file was removed, or its time is over."""


@dataclass(slots=True)
class Section:
    """What one store holds: by table, its rows."""

    store: Store
    tables: list[tuple[Table, list[dict[str, Any]]]] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(len(held) for _table, held in self.tables)


def place(archive: PrivacyArchive) -> str:
    return f"consent_privacyarchive:{archive.pk}:data"


def ask(request: PrivacyRequest, now: datetime, by: "Person | None") -> Job:
    """Have the file made."""
    with transaction.atomic():
        requests.begin_work(request, now, by)
        job = jobs.ask(EXPORT, now, by=by, brand_id=request.brand_id, arguments={"request": str(request.pk)})
        PrivacyRequest.objects.filter(pk=request.pk).update(job=job)
    request.job = job
    return job


def work(turn: Slice) -> bool:
    """Gather, and write the file, unless the names have come to lead to others meanwhile; then gather anew."""
    turn.hold(_LONGEST)
    request = PrivacyRequest.objects.get(pk=turn.job.arguments["request"])
    subject = requests.subject_of(request)
    sections = gather(subject)
    data = pack(sections, turn.now, ZoneInfo(request.brand.zone))
    counts = {section.store.key: section.count for section in sections}
    with transaction.atomic():
        # No erasure empties the request from here to the end, and whoever was erased meanwhile gets no file.
        request = PrivacyRequest.objects.select_for_update().get(pk=request.pk)
        if not request.subject:
            requests.give_up(request, turn.now, _("Who asks was erased meanwhile; nothing is left to hand out."))
            return True
        if requests.subject_of(request).profiles != subject.profiles:
            return False
        PrivacyArchive.objects.filter(request=request).delete()
        archive = PrivacyArchive(
            request=request,
            made_at=turn.now,
            expires_at=turn.now + timedelta(days=settings.PRIVACY_ARCHIVE_DAYS),
            size=len(data),
            digest=sha256(data).hexdigest(),
            counts=counts,
        )
        archive.data = seal({"zip": b64encode(data).decode()}, place(archive))
        archive.save(force_insert=True)
        turn.job.report = {"rows": sum(counts.values()), **counts}
        turn.note(done=sum(counts.values()))
    return True


def given_up(job: Job) -> None:
    request = PrivacyRequest.objects.filter(pk=job.arguments.get("request"), state=PrivacyRequest.State.WORKING).first()
    if request is not None and job.ended_at is not None:
        requests.give_up(request, job.ended_at, _("The job failed or was stopped; carry it out again to go on."))


def opened(archive: PrivacyArchive, now: datetime) -> bytes:
    """The file; NotThere when it is gone."""
    if archive.removed_at is not None or not archive.data or archive.expires_at <= now:
        raise NotThere
    return b64decode(open_sealed(bytes(archive.data), place(archive))["zip"])


def remove_old(now: datetime) -> int:
    """Take away files whose time is over; that there was one stays."""
    old = PrivacyArchive.objects.filter(removed_at=None, expires_at__lte=now)
    return old.update(data=b"", removed_at=now)


def gather(subject: Subject) -> list[Section]:
    """What every store holds of them, and of nobody else."""
    own = Own(subject)
    return [
        Section(
            store,
            [(table, [own.row(row) for row in rows.read(table, subject)]) for table in store.tables if table.shown],
        )
        for store in stores()
        if store.is_exported
    ]


def pack(sections: list[Section], now: datetime, zone: ZoneInfo) -> bytes:
    """The same rows and moment give the same bytes."""
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        for name, text in _parts(sections, now, zone):
            # Without a time of its own.
            archive.writestr(ZipInfo(name), text.encode(), ZIP_DEFLATED)
    return file.getvalue()


def _parts(sections: list[Section], now: datetime, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    manifest = {
        "format": FORMAT,
        "made_at": now.isoformat(),
        "stores": {
            section.store.key: {"file": f"{section.store.key}.json", "rows": section.count} for section in sections
        },
    }
    yield "manifest.json", _json(manifest)
    for section in sections:
        yield f"{section.store.key}.json", _json(_as_json(section))
    for language in LANGUAGES:
        yield f"index.{language}.html", page(sections, now, zone, language)


def _as_json(section: Section) -> dict[str, Any]:
    return {
        "store": section.store.key,
        "label": {language: _in(language, section.store.label) for language in LANGUAGES},
        "why": {language: _in(language, section.store.why) for language in LANGUAGES},
        "tables": {table.model._meta.model_name: held for table, held in section.tables},
    }


def _in(language: str, text: Any) -> str:
    with translation.override(language):
        return str(text)


def _json(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1)


def register() -> None:
    jobs.register(EXPORT, gettext_lazy("Gather what is held of a person"), work, given_up=given_up)
