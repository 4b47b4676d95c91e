"""`manage.py erase`: erase a person from the command line, as the page of their privacy request does."""

import time
from argparse import ArgumentParser
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from consent.models import Erasure, PrivacyRequest
from consent.privacy import erasure, laws, requests
from consent.privacy.requests import Asking
from customers import clock, jobs
from customers.identifiers import IdentifierError
from customers.models import Brand, Source
from customers.privacy import erase
from customers.privacy.subject import Naming, Subject, find

_TURN_SECONDS: Final = 15.0
_PAUSE_SECONDS: Final = 1.0
_CHECKED: Final = {one.name.lower(): one.value for one in PrivacyRequest.Assurance}


class Command(BaseCommand):
    help = (
        "Erase a person: by the id of their privacy request, or by a name of theirs, for which a request is taken down"
        " then. Stopped, it goes on when it is called the same way again. It cannot be undone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--request", type=UUID, metavar="ID", help="a request of that kind, in place of a name")
        parser.add_argument("--kind", metavar="KIND", help="of the name: email, user_id …")
        parser.add_argument("--value", metavar="VALUE", help="the name, whole")
        parser.add_argument("--brand", metavar="KEY", help="of whom it is asked; needed with a name")
        parser.add_argument("--source", metavar="KEY", help="which gave the id, where several give ids of their own")
        parser.add_argument("--namespace", type=UUID, metavar="ID", help="of the id, in place of --source")
        parser.add_argument("--law", choices=PrivacyRequest.Law.values, help="needed with a name")
        parser.add_argument(
            "--channel", choices=PrivacyRequest.Channel.values, default="form", help="by which it came (%(default)s)"
        )
        parser.add_argument("--checked", choices=_CHECKED, help="how it was checked who asks")
        parser.add_argument("--as", dest="user", metavar="USER", help="who does it, for the trail; needed to erase")
        parser.add_argument("--dry-run", action="store_true", help="only count, store by store; nothing is written")
        parser.add_argument("--yes", action="store_true", help="do not ask whether it is meant")

    def handle(self, *args: Any, **options: Any) -> None:
        request = _asked(options["request"]) if options["request"] else None
        names = [] if request else _names(options)
        request = request or requests.unfinished_erasure(names)
        if request is not None and request.state == PrivacyRequest.State.DONE:
            self._tell(request)
            return
        subject = erasure.subject_of(request) if request else find(names)
        self._preview(subject)
        if options["dry_run"]:
            return
        by = _user(options["user"])
        if not options["yes"] and input("Erase? It cannot be undone. Type yes: ").strip().lower() != "yes":
            raise CommandError("nothing was done")
        if request is None:
            request = _take_down(names, options, by)
        elif options["checked"] and request.state != PrivacyRequest.State.WORKING:
            requests.verify(request, _CHECKED[options["checked"]], clock.utcnow(), by)
        self._carry_out(request, subject, by)
        self._tell(request)

    def _preview(self, subject: Subject) -> None:
        several = len(subject.shared_names) + len(subject.shared_addresses)
        self.stdout.write(
            f"{len(subject.customers)} customers, {len(subject.names)} names, {len(subject.reached)} addresses;"
            f" {several} that others use too stay with them"
        )
        for store, count in erase.preview(subject):
            self.stdout.write(f"  {store.key:<24}{count:>10,}")
        self.stdout.write("What others' rows say of the person is masked there; that is counted while it is done.")

    def _carry_out(self, request: PrivacyRequest, subject: Subject, by: User) -> None:
        """Begun, or gone on with, here and by whatever workers there are."""
        try:
            if request.state != PrivacyRequest.State.WORKING:
                erasure.ask(request, clock.utcnow(), by, shown=subject.profiles)
        except (requests.NotNow, requests.NotSure):
            raise CommandError(f"who asks was not checked well enough: request {request.pk}, add --checked") from None
        except requests.NobodyKnown:
            raise CommandError(f"request {request.pk} names nobody any more") from None
        self.stdout.write(f"request {request.pk}")
        while request.state == PrivacyRequest.State.WORKING:
            jobs.work_on(clock.utcnow, _TURN_SECONDS)
            request.refresh_from_db()
            if request.state == PrivacyRequest.State.WORKING:
                time.sleep(_PAUSE_SECONDS)
        if request.state != PrivacyRequest.State.DONE:
            reason = request.job.reason if request.job else ""
            raise CommandError(f"it stopped ({reason}); go on with: manage.py erase --request {request.pk}")

    def _tell(self, request: PrivacyRequest) -> None:
        done = Erasure.objects.filter(request=request).first()
        counts = done.counts if done else {}
        self.stdout.write(f"erased: request {request.pk}, {sum(counts.values()):,} rows")
        for key, count in sorted(counts.items()):
            self.stdout.write(f"  {key:<24}{count:>10,}")


def _asked(pk: UUID) -> PrivacyRequest:
    request = PrivacyRequest.objects.filter(pk=pk).first()
    if request is None:
        raise CommandError(f"there is no request {pk}")
    if request.kind != PrivacyRequest.Kind.ERASURE or request.state == PrivacyRequest.State.REFUSED:
        raise CommandError(f"request {pk} is no erasure, or was refused")
    return request


def _names(options: dict[str, Any]) -> list[Naming]:
    if not options["kind"] or not options["value"]:
        raise CommandError("say whom: --request, or --kind and --value")
    brand = _brand(options)
    try:
        return requests.name_of_one(options["kind"], options["value"], _spaces(brand, options), clock.utcnow())
    except IdentifierError as error:
        raise CommandError(f"{error.message} {error.hint}") from error
    except requests.SeveralMeant:
        raise CommandError(
            "More than one person may be meant: send a name that is theirs alone; of an id say which --source gave it,"
            f" one of: {', '.join(sorted(_sources(brand).values_list('key', flat=True)))}"
        ) from None


def _brand(options: dict[str, Any]) -> Brand:
    brand = Brand.objects.filter(key=options["brand"] or "").first()
    if brand is None:
        keys = ", ".join(Brand.objects.order_by("key").values_list("key", flat=True))
        raise CommandError(f"say of which --brand it is asked, one of: {keys}")
    return brand


def _spaces(brand: Brand, options: dict[str, Any]) -> list[UUID]:
    """Where an id means somebody, if that was said."""
    if options["namespace"]:
        return [options["namespace"]]
    if not options["source"]:
        return requests.namespaces_of(brand)
    source = _sources(brand).filter(key=options["source"]).first()
    if source is None:
        raise CommandError(f"the brand has no source {options['source']!r}")
    return [source.namespace]


def _sources(brand: Brand) -> Any:
    return Source.objects.filter(brand=brand).exclude(key=Source.RESERVED_KEY)


def _user(name: str | None) -> User:
    user = User.objects.filter(username=name or "", is_staff=True, is_active=True).first()
    if user is None:
        raise CommandError("say who does it: --as USER, one of the staff")
    return user


def _take_down(names: list[Naming], options: dict[str, Any], by: User) -> PrivacyRequest:
    if not options["law"] or not options["checked"]:
        raise CommandError("a new request needs --law, and --checked: how it was checked who asks")
    if _CHECKED[options["checked"]] < laws.LEAST[PrivacyRequest.Kind.ERASURE]:
        raise CommandError("who asks was not checked well enough to be erased")
    asking = Asking(
        brand=_brand(options),
        kind=PrivacyRequest.Kind.ERASURE.value,
        law=options["law"],
        channel=options["channel"],
        names=names,
        assurance=_CHECKED[options["checked"]],
    )
    return requests.take_down(asking, clock.utcnow(), by)
