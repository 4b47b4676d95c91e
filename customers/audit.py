"""The audit trail: who changed what, from what, to what; each entry seals the one before it in its day.

The first of a day seals the entry written before it, so that no day can be taken out either. Personal values are
masked and secrets left out before anything is written: the trail holds nothing that would have to be erased.
Its lock is the last one taken in a transaction.
"""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.db.models import BinaryField, Model
from django.utils.translation import gettext_lazy as _

from customers import personal
from customers.ids import hash64
from customers.models import AuditEntry, Brand
from customers.reach import ByBrand, reach_of

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

    from customers.sight import Person

_LOCK = hash64("audit trail")
# Whatever model they are in, these are never written down.
_SECRET = frozenset({"password", "credentials", "secret", "key_text", "token"})
_LONGEST = 64

# Actions in words; one that is not here stands for itself.
WORDS: dict[str, "_StrOrPromise"] = {
    "add": _("added"),
    "change": _("changed"),
    "delete": _("deleted"),
    "publish": _("published"),
    "roll_back": _("returned to an earlier version"),
    "save_draft": _("saved a draft"),
    "access": _("changed rights"),
    "export": _("exported"),
    "import": _("began an import"),
    "remove_file": _("removed a file"),
    "refused": _("tried what was not theirs"),
    "log_in": _("logged in"),
    "log_in_failed": _("failed to log in"),
    "log_in_blocked": _("had to wait before logging in"),
    "log_out": _("logged out"),
    "password": _("changed the password"),
    "two_factor_set_up": _("set up two-factor log-in"),
    "two_factor_reset": _("had two-factor log-in reset"),
    "recovery_code": _("used a recovery code"),
    "merge": _("merged customers"),
    "withdraw_consent": _("withdrew consent for a person who asked"),
    "pause_messages": _("left a person in peace who asked"),
    "campaign_members": _("changed what serves a campaign"),
    "take_apart": _("took a customer apart"),
    "exempt": _("said that an identifier is not shared"),
    "reject_duplicate": _("told two customers apart"),
    "tell_apart": _("told customers apart"),
    "privacy_open": _("took a privacy request down"),
    "privacy_verifying": _("noted how an identity was checked"),
    "privacy_ready": _("found a privacy request ready"),
    "privacy_working": _("had a privacy request carried out"),
    "privacy_done": _("finished a privacy request"),
    "privacy_refused": _("refused a privacy request"),
    "privacy_note": _("noted something on a privacy request"),
    "privacy_lift": _("lifted a restriction"),
    "call_in": _("called people into a journey"),
    "hand_in_list": _("handed in a list of people to call"),
    "stop_list": _("stopped what was done with a list of people"),
    "look_for_duplicates": _("had duplicates looked for"),
    "webhook_failing": _("announced that a webhook fails"),
    "webhook_off": _("was switched off by itself"),
    "webhook_secret": _("had a webhook’s secret renewed"),
    "webhook_removed": _("removed a webhook"),
    "webhook_replay": _("had webhooks told once more"),
    "reconcile": _("said what became of a message"),
    "note_restore": _("noted that the database was restored"),
    "task_claimed": _("took a task in hand"),
    "task_not_claimed": _("was kept from a task by what the person wants"),
    "task_released": _("gave a task back"),
    "task_taken_back": _("opened somebody’s task again"),
    "task_done": _("did a task"),
    "test_sent": _("had a test sent"),
    "broadcast_start": _("started a broadcast"),
    "broadcast_take_back": _("made a draft of a broadcast again"),
    "broadcast_pause": _("paused a broadcast"),
    "broadcast_resume": _("had a broadcast go on"),
    "broadcast_stop": _("stopped a broadcast"),
    "broadcast_go_on": _("had a broadcast go to those outside the pilot group"),
}


def record(
    actor: "Person | None",
    action: str,
    subject: Model | type[Model],
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    *,
    brand: Brand | None = None,
    now: datetime,
) -> AuditEntry:
    """Write one entry in the caller's transaction; `before` and `after` say no more than what differs.

    `subject` is the row that was changed, or a model when it is about no single row.
    """
    model, key = (subject, "") if isinstance(subject, type) else (subject._meta.model, str(subject.pk))
    entry = AuditEntry(
        at=now,
        day=now.astimezone(UTC).date(),
        actor_id=actor.pk if actor is not None else None,
        brand_id=brand.pk if brand is not None else brand_of(subject),
        action=action[:_LONGEST],
        object_type=model._meta.label_lower[:_LONGEST],
        object_id=key[:_LONGEST],
        before=_kept(model, before),
        after=_kept(model, after),
    )
    with transaction.atomic():
        _seal(entry)
        entry.save(force_insert=True)
    return entry


def words(action: str) -> "_StrOrPromise":
    return WORDS.get(action, action)


def picture(row: Model) -> dict[str, Any]:
    """The row's own columns as the trail shows them."""
    fields = (field for field in row._meta.concrete_fields if not isinstance(field, BinaryField))
    values = {field.name: row.__dict__.get(field.attname) for field in fields if field.attname in row.__dict__}
    return _kept(row._meta.model, values) or {}


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What differs between two pictures, on either side."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {name: before.get(name) for name in names}, {name: after.get(name) for name in names}


def verify(day: date) -> int | None:
    """The position of the first entry of that day which is not what was written; None if all are."""
    previous = b""
    for number, entry in enumerate(AuditEntry.objects.filter(day=day).order_by("position"), start=1):
        if number == 1:
            previous = last_before(entry.pk)
        is_linked = entry.position == number and bytes(entry.previous) == previous
        if not is_linked or bytes(entry.digest) != digest_of(entry):
            return number
        previous = bytes(entry.digest)
    return None


def brand_of(subject: Model | type[Model]) -> UUID | None:
    """The brand a row belongs to; None where it is the organisation's, or of several."""
    if isinstance(subject, type):
        return None
    if isinstance(subject, Brand):
        return subject.pk
    reach = reach_of(subject._meta.model)
    if not isinstance(reach, ByBrand):
        return None
    *hops, last = reach.path.removesuffix("_id").split("__")
    place: Any = subject
    try:
        for hop in hops:
            place = getattr(place, hop)
    except ObjectDoesNotExist:
        return None
    found = getattr(place, f"{last}_id", None)
    return found if isinstance(found, UUID) else None


def _seal(entry: AuditEntry) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    last = AuditEntry.objects.filter(day=entry.day).order_by("-position").first()
    entry.position = last.position + 1 if last else 1
    entry.previous = bytes(last.digest) if last else last_before(None)
    entry.digest = digest_of(entry)


def last_before(key: int | None) -> bytes:
    """The hash of the entry written before this one; of the last of all when it is None."""
    entries = AuditEntry.objects.order_by("-pk")
    digest = (entries if key is None else entries.filter(pk__lt=key)).values_list("digest", flat=True).first()
    return bytes(32) if digest is None else bytes(digest)


def digest_of(entry: AuditEntry) -> bytes:
    """The hash of what the entry says now, and of the entry before it."""
    content = [
        entry.at.astimezone(UTC).isoformat(),
        entry.day.isoformat(),
        entry.actor_id,
        entry.brand_id and str(entry.brand_id),
        entry.action,
        entry.object_type,
        entry.object_id,
        entry.before,
        entry.after,
        entry.position,
    ]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return sha256(bytes(entry.previous) + text.encode()).digest()


def _kept(model: type[Model], values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if values is None:
        return None
    return {str(name): _value(model, name, value) for name, value in values.items() if name not in _SECRET}


def _value(model: type[Model], name: str, value: Any) -> Any:
    kind = personal.fields(model).get(name)
    if kind is not None:
        value = personal.mask(value, kind)
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        field = None
    # Of a secret it is known that it was changed, by the entry itself.
    return None if isinstance(field, BinaryField) else _storable(value)


def _storable(value: Any) -> Any:
    """As jsonb gives it back: a float might return as another number, and a NUL not at all."""
    return _plain(json.loads(json.dumps(value, cls=DjangoJSONEncoder, default=str)))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {_plain(key): _plain(held) for key, held in value.items()}
    if isinstance(value, list):
        return [_plain(held) for held in value]
    if isinstance(value, float):
        return str(value)
    if isinstance(value, str):
        return value.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
    return value
