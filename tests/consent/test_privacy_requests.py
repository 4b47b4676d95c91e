"""What people ask by law: its last day, the identity it needs, its life, and what is done at once."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from consent.admin import privacy_page
from consent.as_of import permissions_as_of
from consent.models import Erasure, PrivacyArchive, PrivacyRequest, PrivacyStep
from consent.permission import Ask, permissions
from consent.privacy import carry_out, erasure, export, laws, requests
from consent.privacy.due import day_there, days_left
from consent.privacy.requests import Asking, NotAllowed, NotNow, NotThatDay
from consent.weighing import Ask as AskThen
from customers import clock, jobs, merging
from customers.ids import NIL, new_id
from customers.models import Address, AuditEntry, Brand, Identifier, Source
from tests.config.partners import make_partners
from tests.customers.partner_api import code_of, pointer_of
from tests.journeys.stage import Stage, make_stage

pytestmark = pytest.mark.django_db
MIDNIGHT = datetime(2026, 1, 31, 2, 30, tzinfo=UTC)
LONG_AGO = datetime(2025, 12, 1, 12, tzinfo=UTC)


@pytest.fixture
def stage() -> Stage:
    stage = make_stage()
    stage.know("ana")
    return stage


def asked(stage: Stage, kind: str, assurance: int = 3, law: str = "gdpr") -> PrivacyRequest:
    names = requests.naming("email", "Ana@Example.com", [], stage.now)
    asking = Asking(brand=stage.brand, kind=kind, law=law, channel="form", names=names, assurance=assurance)
    return requests.take_down(asking, stage.now)


@pytest.mark.parametrize(
    ("law", "zone", "due"),
    [
        ("lgpd", "America/Sao_Paulo", date(2026, 2, 14)),
        ("lgpd", "UTC", date(2026, 2, 15)),
        ("gdpr", "Europe/Berlin", date(2026, 2, 28)),
        ("gdpr", "America/Sao_Paulo", date(2026, 2, 28)),
        ("app", "Australia/Sydney", date(2026, 3, 2)),
    ],
)
def test_the_last_day_is_one_of_the_brands_zone(law: str, zone: str, due: date) -> None:
    assert laws.due_on(law, day_there(Brand(zone=zone), MIDNIGHT)) == due


def test_a_month_from_december_is_in_january() -> None:
    assert laws.due_on("gdpr", date(2026, 12, 5)) == date(2027, 1, 5)


def received(stage: Stage, day: date | None) -> PrivacyRequest:
    Brand.objects.filter(pk=stage.brand.pk).update(created_at=LONG_AGO, zone="America/Sao_Paulo")
    stage.brand.refresh_from_db()
    names = requests.naming("email", "ana@example.com", [], stage.now)
    asking = Asking(brand=stage.brand, kind="access", law="lgpd", channel="letter", names=names, asked_on=day)
    return requests.take_down(asking, stage.now)


def test_the_clock_runs_from_the_day_it_was_received(stage: Stage) -> None:
    stage.now = MIDNIGHT
    request = received(stage, date(2026, 1, 20))
    assert (request.asked_on, request.opened_at, request.due_on) == (date(2026, 1, 20), MIDNIGHT, date(2026, 2, 4))
    # In São Paulo it is still the day before.
    assert received(stage, None).asked_on == date(2026, 1, 30)
    assert AuditEntry.objects.filter(action="privacy_open").count() == 2


def test_it_may_be_overdue_at_once(stage: Stage) -> None:
    request = received(stage, date(2026, 1, 5))
    assert days_left(request, stage.now) == -41
    shown = officer(stage, "view_pii").get(reverse("admin:consent_privacyrequest_changelist"), {"due": "overdue"})
    assert list(shown.context["cl"].result_list) == [request]


@pytest.mark.parametrize("day", [date(2026, 1, 31), date(2025, 11, 30)])
def test_it_was_not_received_on_a_day_to_come_nor_before_the_brand(stage: Stage, day: date) -> None:
    stage.now = MIDNIGHT
    with pytest.raises(NotThatDay):
        received(stage, day)
    assert not PrivacyRequest.objects.exists()


def test_staff_say_when_it_was_received_and_are_kept_as_who_took_it_down(stage: Stage) -> None:
    Brand.objects.filter(pk=stage.brand.pk).update(created_at=LONG_AGO)
    client, form = officer(stage, "view_pii"), TYPED_IN | {"brand": str(stage.brand.pk)}
    refused = client.post(reverse("admin:consent_privacyrequest_add"), form | {"asked_on": "2999-01-01"})
    assert list(refused.context["adminform"].form.errors) == ["asked_on"]
    client.post(reverse("admin:consent_privacyrequest_add"), form | {"asked_on": "2026-01-05"})
    request = PrivacyRequest.objects.get()
    assert (request.asked_on, request.due_on) == (date(2026, 1, 5), date(2026, 1, 20))
    assert request.opened_by == User.objects.get(username="officer")
    text = client.get(page("change", request)).content.decode()
    for told in ("Jan. 5, 2026", "overdue", "officer"):
        assert told in text


def test_a_request_is_ready_once_the_identity_was_checked_well_enough(stage: Stage) -> None:
    request = asked(stage, "access", assurance=0)
    assert request.state == "open"
    requests.verify(request, 2, stage.now, None)
    assert request.state == "verifying"
    requests.verify(request, 4, stage.now, None, "code 17 of the desk")
    assert (request.state, request.assurance) == ("ready", 4)
    # What was found out is not unlearnt.
    requests.verify(request, 2, stage.now, None)
    assert (request.state, request.assurance) == ("ready", 4)
    assert list(PrivacyStep.objects.values_list("state", "assurance")) == [
        ("open", None), ("verifying", 2), ("ready", 4), ("ready", 2)
    ]  # fmt: skip
    assert AuditEntry.objects.filter(object_type="consent.privacyrequest").count() == 4


def test_it_is_refused_for_a_reason_of_its_law_alone(stage: Stage) -> None:
    request = asked(stage, "erasure", law="lgpd")
    with pytest.raises(NotAllowed):
        requests.refuse(request, "unfounded", stage.now, None)
    requests.refuse(request, "legal_duty", stage.now, None)
    assert (request.state, request.ended_at) == ("refused", stage.now)
    with pytest.raises(NotNow):
        requests.refuse(request, "legal_duty", stage.now, None)
    assert "legal_duty" not in laws.reasons("lgpd", "access")


def permission(stage: Stage) -> tuple[bool, str]:
    customer = Identifier.objects.get(value="ana").profile.customer_id
    address = Address.objects.get(value="ana@example.com").pk
    return permissions([Ask(customer, address, stage.purpose.pk)], stage.now)[0][:2]


def test_an_objection_withdraws_marketing_whichever_address(stage: Stage) -> None:
    assert permission(stage) == (True, "")
    stage.now += timedelta(minutes=1)
    request = asked(stage, "objection", assurance=2)
    carry_out.carry_out(request, stage.now, None)
    assert request.state == "done"
    assert permission(stage) == (False, "withdrawn")


def test_a_restriction_refuses_and_deletes_nothing_until_it_is_lifted(stage: Stage) -> None:
    before = stage.now
    stage.now += timedelta(minutes=1)
    request = asked(stage, "restriction", assurance=2)
    carry_out.carry_out(request, stage.now, None)
    assert permission(stage) == (False, "restricted")
    assert Identifier.objects.filter(value="ana").exists()
    customer = Identifier.objects.get(value="ana").profile.customer_id
    address = Address.objects.get(value="ana@example.com").pk
    then = [AskThen(customer, address, stage.purpose.pk)]
    assert [permissions_as_of(then, at)[0].reason for at in (before, stage.now)] == ["", "restricted"]
    stage.now += timedelta(minutes=1)
    assert carry_out.lift(request, stage.now, None) == 2
    assert permission(stage) == (True, "")


def test_what_would_change_nobody_is_not_begun(stage: Stage) -> None:
    names = requests.naming("email", "nobody@example.com", [], stage.now)
    asking = Asking(brand=stage.brand, kind="objection", law="gdpr", channel="form", names=names, assurance=2)
    request = requests.take_down(asking, stage.now)
    with pytest.raises(requests.NobodyKnown):
        carry_out.carry_out(request, stage.now, None)
    request.refresh_from_db()
    assert request.state == "ready"


def officer(stage: Stage, *rights: str) -> Client:
    user = User.objects.create_user("officer", is_staff=True)
    user.groups.add(Group.objects.get(name="privacy officer"))
    for right in ("view_brand", *rights):
        assign_perm(right, user, stage.brand)
    client = Client()
    client.force_login(user)
    return client


TYPED_IN = {
    "kind": "erasure", "law": "lgpd", "channel": "phone", "identifier_kind": "email",
    "identifier": "ANA@example.com", "assurance": "4", "note": "",
}  # fmt: skip


def page(name: str, request: PrivacyRequest) -> str:
    return reverse(f"admin:consent_privacyrequest_{name}", args=[request.pk])


def test_staff_take_one_down_and_carry_it_out_after_a_second_look(stage: Stage) -> None:
    client = officer(stage, "view_pii")
    answer = client.post(reverse("admin:consent_privacyrequest_add"), TYPED_IN | {"brand": str(stage.brand.pk)})
    request = PrivacyRequest.objects.get()
    assert answer.headers["Location"] == page("change", request)
    assert (request.state, request.subject[0][2], request.opened_by is not None) == ("ready", "ana@example.com", True)
    client.post(page("act", request), {"choice": "carry_out"})
    assert not Erasure.objects.exists()
    shown = client.get(page("change", request), {"preview": "1"})
    counts = {store.key: count for store, count in shown.context["preview"]}
    assert (counts["people"], counts["events"]) == (13, 2)
    client.post(page("act", request), {"choice": "carry_out", "seen": "yes"})
    assert not Erasure.objects.exists()
    client.post(page("act", request), {"choice": "carry_out", "seen": shown.context["seen"]})
    assert Erasure.objects.get().request == request
    request.refresh_from_db()
    assert request.state == "working"


def test_who_was_shown_fewer_people_than_are_found_looks_again(stage: Stage) -> None:
    client, request = officer(stage, "view_pii"), asked(stage, "erasure", assurance=4)
    seen = client.get(page("change", request), {"preview": "1"}).context["seen"]
    stage.know("bia")
    merge_with_bia(stage)
    client.post(page("act", request), {"choice": "carry_out", "seen": seen})
    request.refresh_from_db()
    assert (request.state, Erasure.objects.exists()) == ("ready", False)


def merge_with_bia(stage: Stage) -> None:
    ana, bia = (Identifier.objects.get(value=value).profile_id for value in ("ana", "bia"))
    merging.join(ana, bia, merging.decide.decision(stage.brand.pk, 1, "test", stage.now))
    stage.run()


def test_an_erasure_takes_nobody_who_was_not_shown(stage: Stage) -> None:
    stage.know("bia")
    request = asked(stage, "erasure", assurance=4)
    erasure.ask(request, stage.now, None)
    stage.now += timedelta(minutes=1)
    merge_with_bia(stage)
    jobs.work_on(lambda: stage.now, 2)
    request.refresh_from_db()
    assert (request.state, Erasure.objects.exists()) == ("ready", False)
    assert request.job is not None
    assert (request.job.state, request.job.report) == ("done", {"more_people": True})
    assert request.steps.latest("id").note.startswith("Nothing was erased: more people")
    assert Identifier.objects.filter(value__in=["ana", "bia"], closed_at=None).count() == 2
    requests.refuse(request, "identity", stage.now, None)


def test_an_erasure_takes_nobody_who_came_between_the_look_and_the_button(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was shown is compared, and then somebody else is found to be the same person."""
    client, request = officer(stage, "view_pii"), asked(stage, "erasure", assurance=4)
    stage.know("bia")
    seen = client.get(page("change", request), {"preview": "1"}).context["seen"]
    reads_everywhere = privacy_page.reads_everywhere

    def meanwhile(*arguments: Any) -> bool:
        merge_with_bia(stage)
        return reads_everywhere(*arguments)

    monkeypatch.setattr(privacy_page, "reads_everywhere", meanwhile)
    client.post(page("act", request), {"choice": "carry_out", "seen": seen})
    request.refresh_from_db()
    assert request.state == "working"
    jobs.work_on(clock.utcnow, 2)
    request.refresh_from_db()
    assert (request.state, Erasure.objects.exists()) == ("ready", False)
    assert request.job is not None
    assert request.job.report == {"more_people": True}
    assert Identifier.objects.filter(value__in=["ana", "bia"], closed_at=None).count() == 2


def test_who_was_seen_on_a_new_device_meanwhile_is_erased_with_it(stage: Stage) -> None:
    request = asked(stage, "erasure", assurance=4)
    erasure.ask(request, stage.now, None)
    stage.now += timedelta(minutes=1)
    stage.happen("page", "ana", anonymous_id="new-device")
    for _turn in range(4):
        jobs.work_on(lambda: stage.now, 2)
        stage.now += timedelta(seconds=61)
    request.refresh_from_db()
    assert (request.state, Identifier.objects.count()) == ("done", 0)


def test_who_may_not_read_the_person_carries_nothing_out_and_downloads_nothing(stage: Stage) -> None:
    request = asked(stage, "access")
    client = officer(stage)
    assert "ana@example.com" not in client.get(page("change", request)).content.decode().lower()
    assert client.post(page("act", request), {"choice": "carry_out"}).status_code == 403
    assert client.get(page("file", request)).status_code == 403
    request.refresh_from_db()
    assert request.state == "ready"
    assert AuditEntry.objects.filter(action="refused").count() == 2


def test_a_download_is_counted_and_on_the_trail(stage: Stage) -> None:
    request = asked(stage, "access")
    export.ask(request, stage.now, None)
    jobs.work_on(lambda: stage.now, 2)
    # The page reads the clock; the file was made long ago for it.
    PrivacyArchive.objects.update(expires_at=datetime(2100, 1, 1, tzinfo=UTC))
    answer = officer(stage, "view_pii").get(page("file", request))
    assert (answer.status_code, answer.headers["Content-Type"], answer.content[:2]) == (200, "application/zip", b"PK")
    assert PrivacyArchive.objects.get().downloads == 1
    assert AuditEntry.objects.filter(action="export", object_id=str(request.pk)).count() == 1


def test_two_downloads_at_once_are_two(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    request = asked(stage, "access")
    export.ask(request, stage.now, None)
    jobs.work_on(lambda: stage.now, 2)
    PrivacyArchive.objects.update(expires_at=datetime(2100, 1, 1, tzinfo=UTC))
    opened = export.opened

    def open_beside_another(archive: PrivacyArchive, now: datetime) -> bytes:
        PrivacyArchive.objects.update(downloads=1)
        return opened(archive, now)

    monkeypatch.setattr(export, "opened", open_beside_another)
    assert officer(stage, "view_pii").get(page("file", request)).status_code == 200
    assert PrivacyArchive.objects.get().downloads == 2


def test_what_is_due_comes_first_and_the_map_shows_every_store(stage: Stage) -> None:
    later = asked(stage, "access", law="app")
    first = asked(stage, "access", law="lgpd")
    over = asked(stage, "access", law="lgpd")
    requests.refuse(over, "identity", stage.now, None)
    client = officer(stage, "view_pii")
    listed = client.get(reverse("admin:consent_privacyrequest_changelist")).context["cl"].result_list
    assert list(listed) == [first, later, over]
    shown = client.get(reverse("admin:consent_privacyrequest_data_map"))
    assert shown.status_code == 200
    assert b"customers_trait" in shown.content


FORM = {"kind": "access", "law": "lgpd", "channel": "phone", "assurance": "3", "note": ""}


def typed_in(client: Client, stage: Stage, kind: str, value: str, source: str = "") -> dict[str, list[str]]:
    """What the page says against it, field by field."""
    form = FORM | {"brand": str(stage.brand.pk), "identifier_kind": kind, "identifier": value, "source": source}
    answer = client.post(reverse("admin:consent_privacyrequest_add"), form)
    return {} if answer.status_code == 302 else dict(answer.context["adminform"].form.errors)


def test_staff_say_whose_id_it_is_where_it_could_be_two_peoples(stage: Stage) -> None:
    till = Source.objects.create(brand=stage.brand, key="till", name="Till", namespace=new_id())
    rival = Source.objects.create(brand=Brand.objects.create(key="rival", name="Rival"), key="shop", name="Rival shop")
    client = officer(stage, "view_pii")
    assert typed_in(client, stage, "user_id", "ana") == {
        "source": ["Say which source gave the id: the same one may be another person's elsewhere."]
    }
    assert list(typed_in(client, stage, "user_id", "ana", str(rival.pk))) == ["source"]
    assert not PrivacyRequest.objects.exists()
    assert typed_in(client, stage, "user_id", "ana", str(stage.source.pk)) == {}
    request = PrivacyRequest.objects.get()
    assert request.subject == [[str(stage.source.namespace), "user_id", "ana", "ana"]]
    assert requests.subject_of(request).profiles
    # It is no partner's: the source only says where the id means somebody.
    assert request.source is None
    assert typed_in(client, stage, "user_id", "ana", str(till.pk)) == {}
    assert requests.subject_of(PrivacyRequest.objects.latest("opened_at")).profiles == ()


def test_a_kind_that_means_the_same_everywhere_needs_no_source(stage: Stage) -> None:
    till = Source.objects.create(brand=stage.brand, key="till", name="Till", namespace=new_id())
    client = officer(stage, "view_pii")
    assert typed_in(client, stage, "email", "ana@example.com") == {}
    assert typed_in(client, stage, "email", "ana@example.com", str(till.pk)) == {}
    assert [one.subject[0][0] for one in PrivacyRequest.objects.all()] == [str(NIL)] * 2


def test_the_only_source_is_meant_without_saying_so(stage: Stage) -> None:
    Source.objects.create(brand=stage.brand, key=Source.RESERVED_KEY, name="Trilha")
    assert typed_in(officer(stage, "view_pii"), stage, "user_id", "ana") == {}
    assert [one[0] for one in PrivacyRequest.objects.get().subject] == [str(stage.source.namespace)]


def test_the_page_asks_for_the_source_of_local_kinds_alone(stage: Stage) -> None:
    Source.objects.create(brand=stage.brand, key=Source.RESERVED_KEY, name="Trilha")
    client = officer(stage, "view_pii")
    shown = client.get(reverse("admin:consent_privacyrequest_add")).context["adminform"]
    condition = shown.model_admin.conditional_fields["source"]
    assert "identifier_kind == 'user_id'" in condition
    assert "identifier_kind == 'email'" not in condition
    assert list(shown.form.fields["source"].queryset) == [stage.source]
    client.cookies["django_language"] = "pt-br"
    page = client.get(reverse("admin:consent_privacyrequest_add")).content.decode()
    assert "id dado por" in page


def test_a_name_of_several_people_is_not_taken_down(stage: Stage) -> None:
    stage.happen("identify", "bia", email="ana@example.com")
    told = "More than one person goes by this. Take the request down by a name that is theirs alone."
    assert typed_in(officer(stage, "view_pii"), stage, "email", "Ana@example.com") == {"identifier": [told]}
    assert not PrivacyRequest.objects.exists()


ASKING = {"kind": "erasure", "law": "lgpd", "identifier": {"kind": "email", "value": "Ana@Example.com"}}


def test_a_partner_hands_one_on_and_sees_its_own_alone() -> None:
    partners = make_partners(till=("privacy:read", "privacy:write"))
    made = partners.shop.post("privacy-requests", ASKING | {"checked": "login"}, **{"Idempotency-Key": "one"})
    again = partners.shop.post("privacy-requests", ASKING | {"checked": "login"}, **{"Idempotency-Key": "one"})
    assert (made.status_code, made.json()["state"], made.json()["checked"]) == (201, "ready", "login")
    assert again.json() == made.json()
    request = PrivacyRequest.objects.get()
    assert (request.subject[0][1:], request.channel) == (["email", "ana@example.com", "Ana@Example.com"], "api")
    assert made.headers["Location"] == f"/api/v1/privacy-requests/{request.pk}"
    assert made.json()["asked_on"] == request.asked_on.isoformat() == made.json()["opened_at"][:10]
    path = f"privacy-requests/{request.pk}"
    assert partners.shop.get(path).json() == made.json()
    assert [one["id"] for one in partners.shop.get("privacy-requests", state="ready").json()["items"]] == [
        str(request.pk)
    ]
    assert "ana" not in partners.shop.get(path).content.decode().lower()
    for stranger in (partners.till, partners.rival):
        assert code_of(stranger.get(path), 404) == "not_found"
        assert stranger.get("privacy-requests").json()["items"] == []


def test_a_partners_id_is_looked_for_where_its_source_gives_ids() -> None:
    partners = make_partners()
    asking = {"kind": "access", "law": "lgpd", "identifier": {"kind": "user_id", "value": "ana"}}
    Source.objects.filter(key="till").update(namespace=new_id())
    partners.know(partners.shop, "ana", email=False)
    partners.know(partners.till, "ana", email=False)
    assert partners.till.post("privacy-requests", asking).status_code == 201
    till = Source.objects.get(key="till")
    request = PrivacyRequest.objects.get()
    assert request.subject == [[str(till.namespace), "user_id", "ana", "ana"]]
    [profile] = Identifier.objects.filter(value="ana", namespace=till.namespace).values_list("profile_id", flat=True)
    assert requests.subject_of(request).profiles == (profile,)


def test_a_token_of_several_sources_says_which_one_speaks() -> None:
    partners = make_partners()
    asking = {"kind": "access", "law": "lgpd", "identifier": {"kind": "user_id", "value": "ana"}}
    Source.objects.filter(key="till").update(namespace=new_id())
    till = Source.objects.get(key="till")
    partners.tokens["shop"].sources.add(till)
    assert code_of(partners.shop.post("privacy-requests", asking), 400) == "missing_filter"
    assert code_of(partners.shop.post("privacy-requests?source=rival", asking), 404) == "unknown_source"
    assert not PrivacyRequest.objects.exists()
    assert partners.shop.post("privacy-requests?source=till", asking).status_code == 201
    assert [one[0] for one in PrivacyRequest.objects.get().subject] == [str(till.namespace)]


def test_a_partners_name_of_several_people_is_refused_without_telling_of_them() -> None:
    partners = make_partners()
    partners.know(partners.shop, "ana")
    partners.stage.happen("identify", "bia", email="ana@example.com")
    answer = partners.shop.post("privacy-requests", ASKING)
    assert (code_of(answer, 422), pointer_of(answer)) == ("identifier_of_several", "/identifier")
    assert not {"ana", "bia"} & set(answer.content.decode().lower().replace('"', " ").replace("@", " ").split())
    assert not PrivacyRequest.objects.exists()


@pytest.mark.parametrize(
    ("change", "status", "code", "pointer"),
    [
        ({"kind": "forget"}, 422, "unknown_value", "/kind"),
        ({"law": "ccpa"}, 422, "unknown_value", "/law"),
        ({"identifier": {"kind": "email", "value": "nobody"}}, 422, "invalid_email", "/identifier/value"),
        ({"identifier": {"kind": "shoe_size", "value": "42"}}, 422, "unknown_identifier_kind", "/identifier/kind"),
        ({"checked": "document"}, 422, "unknown_value", "/checked"),
        ({"checked": "login"}, 403, "insufficient_scope", "/checked"),
        ({"note": "by the way"}, 422, "unknown_field", "/note"),
        ({"asked_on": "2999-01-01"}, 422, "out_of_range", "/asked_on"),
        ({"asked_on": "1999-01-01"}, 422, "out_of_range", "/asked_on"),
        ({"asked_on": "yesterday"}, 422, "wrong_type", "/asked_on"),
        ({"asked_on": 20260301}, 422, "wrong_type", "/asked_on"),
    ],
)
def test_what_is_no_request_is_refused_and_nothing_is_kept(
    change: dict[str, object], status: int, code: str, pointer: str
) -> None:
    partners = make_partners(till=("privacy:read", "privacy:write"))
    answer = partners.till.post("privacy-requests", ASKING | change)
    assert (code_of(answer, status), pointer_of(answer)) == (code, pointer)
    assert not PrivacyRequest.objects.exists()
