"""Those beside whom somebody is erased: who shares a number, who claims their address, who speaks of them; and what is
theirs elsewhere: in another brand and namespace, under ids that are short and not in ASCII, in files being made."""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from django.contrib.auth.models import User
from django.test import Client as Browser
from django.urls import reverse

from config.loop.checks import Check
from config.processes import ProcessError
from consent.models import PrivacyArchive, PrivacyRequest
from consent.privacy import export, requests
from consent.privacy.requests import Asking
from customers import tokens
from customers.clock import utcnow
from customers.ids import new_id
from customers.models import Address, Brand, Event, Identifier, Scope, Source
from tests.consent.marked import Marked
from tests.promises import dump
from tests.promises.client import Client
from tests.promises.stage import Stage

_MOST: Final = 100


class Beside:
    def __init__(self, stage: Stage, gone: Sequence[Marked], stay: Sequence[Marked]) -> None:
        self._stage, self._gone, self._stay = stage, gone, stay
        self._pairs = list(zip(gone, stay, strict=False))
        self._phones = [f"+55119{80_000_000 + number}" for number in range(len(self._pairs))]
        self._shorts = [f"q{number:02}ż" for number in range(min(len(gone), _MOST))]

    def live(self) -> None:
        told = []
        for (one, other), phone in zip(self._pairs, self._phones, strict=True):
            # One number of two people, an address that another merely claims, and a friend who is spoken of.
            told += [{"type": "identify", "identifiers": {"user_id": who.user, "phone": phone}} for who in (one, other)]
            claimed = {"user_id": other.user, "email": one.email}
            told.append({"type": "identify", "identifiers": claimed, "assurance": "claimed"})
            about = {"friend": one.email, "note": f"{other('note')} to {one.email}", "by": one.user}
            told.append({"name": "friend.referred", "identifiers": {"user_id": other.user}, "properties": about})
        for one, short in zip(self._gone, self._shorts, strict=False):
            told.append({"type": "identify", "identifiers": {"user_id": one.user, "crm_id": short}})
            told.append({"name": "", "identifiers": {"crm_id": short}})
        _tell(self._stage.partner(), told)
        elsewhere = self._elsewhere()
        _tell(elsewhere, [_at_another(one) for one in self._gone[::3]])
        self._stage.settle("those beside them")

    def ask_for_files(self) -> None:
        """Of some, a file of what is held is being made as they are erased."""
        for one in self._gone[::4]:
            names = requests.naming("email", one.email, [], utcnow())
            asking = Asking(
                brand=self._stage.brand, kind="access", law="lgpd", channel="form", names=names, assurance=4
            )
            export.ask(requests.take_down(asking, utcnow()), utcnow(), None)

    def short_ones(self) -> int:
        """Rows that hold one of the short ids, as text or as JSON escapes it."""
        wanted = [form for short in self._shorts for form in (short.encode(), short.encode("unicode_escape"))]
        return sum(any(form in line for form in wanted) for table in dump.tables() for line in dump.lines(table))

    def checks(self) -> Iterator[Check]:
        yield Check("rows that hold a short id of theirs", 0, self.short_ones())
        shared = Address.objects.filter(value__in=self._phones, profiles__profile__identifier__value__in=self._users())
        yield Check("numbers that others keep", len(self._phones), shared.filter(channel="sms").count())
        yield Check(
            "events of friends that stay", len(self._pairs), Event.objects.filter(name="friend.referred").count()
        )
        yield Check(
            "others who are known still", len(self._stay), Identifier.objects.filter(value__in=self._users()).count()
        )
        yield Check("files of what was held that are left", 0, PrivacyArchive.objects.exclude(data=b"").count())
        yield Check("requests that name them", 0, PrivacyRequest.objects.exclude(subject=[]).count())

    def _users(self) -> list[str]:
        return [one.user for one in self._stay]

    def _elsewhere(self) -> Client:
        brand = Brand.objects.create(key="other", name="Other")
        source = Source.objects.create(brand=brand, key="other", name="Other", namespace=new_id())
        now = utcnow()
        _token, text = tokens.issue(
            brand_id=brand.pk, sources=[source], name="Other", scopes=[Scope.EVENTS_WRITE.value], now=now,
            expires_at=now + timedelta(days=9), per_minute=1_000_000,
        )  # fmt: skip
        return Client(self._stage.url, f"Bearer {text}")


def erase_as_officer(stage: Stage, one: Marked) -> None:
    """By the pages: taken down, looked at, carried out."""
    browser = Browser(SERVER_NAME="localhost")
    browser.force_login(User.objects.create_superuser("officer"))
    form = {
        "brand": str(stage.brand.pk), "kind": "erasure", "law": "lgpd", "channel": "phone", "identifier_kind": "email",
        "identifier": one.email, "assurance": "4", "note": one("note"),
    }  # fmt: skip
    browser.post(reverse("admin:consent_privacyrequest_add"), form)
    request = PrivacyRequest.objects.latest("opened_at")
    page = browser.get(reverse("admin:consent_privacyrequest_change", args=[request.pk]), {"preview": "1"})
    shown = re.search(r'name="seen" value="([^"]+)"', page.content.decode())
    if shown is None:
        raise ProcessError("the page asks nobody to confirm whom it shows")
    act = reverse("admin:consent_privacyrequest_act", args=[request.pk])
    browser.post(act, {"choice": "carry_out", "seen": shown[1]})
    request.refresh_from_db()
    if request.state == PrivacyRequest.State.READY:
        raise ProcessError("the erasure that was confirmed was not begun")


def _at_another(one: Marked) -> dict[str, object]:
    return {
        "type": "identify",
        "identifiers": {"user_id": one.user, "email": one.email},
        "traits": {"email": one.email, "elsewhere": one("elsewhere")},
    }


def _tell(partner: Client, messages: Sequence[object]) -> None:
    for start in range(0, len(messages), _MOST):
        partner.post("/api/v1/events/batch", {"events": messages[start : start + _MOST]})
