"""What people chose, as dispatch heeds it: the pause, the language, how often, and the mail that confirms."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client

from channels import frequency
from channels.dispatch import dispatch_due
from channels.models import Message, MessageContent, RecentSend, Template, TemplateText, TemplateVersion
from config.loop.smtp_sink import SmtpSink
from consent import pausing
from consent.confirming import ask
from consent.models import ConsentEntry, Preference, Purpose
from consent.permission import Ask, permissions
from consent.preferences.link import Link, make_link, read_link
from customers import clock
from tests.channels.world import NOW, Person, World, content, make_world, state
from tests.consent import people

DAY = timedelta(days=1)


def prefer(world: World, ana: Person, **values: object) -> None:
    Preference.objects.create(brand=world.brand, address=ana.address, changed_at=NOW, **values)


def test_a_paused_address_is_sent_nothing_and_the_message_says_why(world: World) -> None:
    ana = world.person()
    message = world.queue(ana)
    pausing.pause(world.brand.pk, [ana.address.pk], NOW + 7 * DAY, NOW, method="link")
    dispatch_due(world.connector.pk, NOW)
    assert state(message) == ("suppressed", "paused")


def test_what_is_owed_by_law_is_sent_in_a_pause(world: World) -> None:
    ana = world.person()
    law = people.make_purpose(world.brand, "law", Purpose.Kind.LEGAL)
    english = Template.objects.create(brand=world.brand, key="law", name="Law", channel="email")
    version = TemplateVersion.objects.create(template=english, number=1)
    TemplateText.objects.create(version=version, locale="en", subject="Law", text="Law")
    message = world.queue(ana, purpose_id=law.pk, template_version_id=version.pk)
    pausing.pause(world.brand.pk, [ana.address.pk], NOW + 7 * DAY, NOW, method="link")
    dispatch_due(world.connector.pk, NOW)
    assert state(message) == ("sent", "")


def test_the_language_that_was_chosen_is_spoken(world: World) -> None:
    ana = world.person()
    prefer(world, ana, language="en")
    message = world.queue(ana)
    dispatch_due(world.connector.pk, NOW)
    assert (state(message), content(message).subject) == (("sent", ""), "Hello Ana")


def test_a_template_has_the_link_to_the_preference_centre(world: World) -> None:
    ana = world.person()
    TemplateText.objects.filter(locale="pt").update(html="{{ preferences_url }}")
    message = world.queue(ana)
    dispatch_due(world.connector.pk, NOW)
    link = read_link(content(message).body.rpartition("/")[2])
    assert link == Link(ana.address.pk, ana.profile.pk, world.brand.pk, message)


def test_more_often_than_wanted_is_held_until_the_time_has_come(world: World) -> None:
    ana = world.person()
    prefer(world, ana, every_days=1)
    first, second = world.queue(ana), world.queue(ana, expires_at=NOW + 3 * DAY)
    dispatch_due(world.connector.pk, NOW)
    assert sorted([state(first), state(second)]) == [("held", "too_often"), ("sent", "")]
    held = Message.objects.get(state="held")
    assert held.due_at.replace(microsecond=0) == NOW + DAY
    dispatch_due(world.connector.pk, NOW + DAY + timedelta(seconds=5))
    assert state(held.pk) == (("sent", "") if held.expires_at > NOW + DAY else ("expired", "late"))


def test_what_would_be_too_late_by_then_is_not_sent(world: World) -> None:
    ana = world.person()
    prefer(world, ana, every_days=7)
    first = world.queue(ana, due_at=NOW - timedelta(seconds=1))
    second = world.queue(ana)
    dispatch_due(world.connector.pk, NOW)
    assert (state(first), state(second)) == (("sent", ""), ("suppressed", "too_often"))
    assert (Message.objects.get(pk=second).decision or {})["every_days"] == 7


@pytest.mark.parametrize("fate", ["sent", "opened", "unknown"])
def test_the_same_step_again_is_counted_by_what_was_sent_and_not_by_its_copies(world: World, fate: str) -> None:
    ana = world.person()
    prefer(world, ana, every_days=7)
    first = world.queue(ana, origin_kind="case", copy_key="welcome:news:")
    dispatch_due(world.connector.pk, NOW)
    # A receipt came, or nobody knows what became of it.
    Message.objects.filter(pk=first).update(state=fate)
    later = {"due_at": NOW + 2 * DAY, "expires_at": NOW + 9 * DAY}
    again = world.queue(ana, origin_kind="case", copy_key="welcome:news:", **later)
    dispatch_due(world.connector.pk, NOW + 2 * DAY)
    assert state(again) == ("held", "too_often")
    assert Message.objects.get(pk=again).due_at.replace(microsecond=0) == NOW + 7 * DAY
    dispatch_due(world.connector.pk, NOW + 7 * DAY + timedelta(seconds=5))
    assert state(again) == ("sent", "")


def in_hand(world: World, person: Person, **fields: object) -> UUID:
    """A message whose call was begun; its worker died, and nobody has looked after it yet."""
    message = world.queue(person, **fields)
    Message.objects.filter(pk=message).update(
        state="dispatching", lease_token=7, leased_until=NOW + timedelta(minutes=2)
    )
    row = Message.objects.get(pk=message)
    RecentSend.objects.create(address=person.address, copy_key=row.copy_key, sent_at=NOW, message_id=message)
    return message


def test_one_whose_answer_is_unknown_counts_until_it_is_known(world: World) -> None:
    ana = world.person()
    prefer(world, ana, every_days=7)
    begun = in_hand(world, ana)
    next_one = world.queue(ana, expires_at=NOW + 9 * DAY)
    dispatch_due(world.connector.pk, NOW)
    assert state(next_one) == ("held", "too_often")
    assert Message.objects.get(pk=next_one).due_at.replace(microsecond=0) == NOW + timedelta(minutes=1)
    # The sweep finds that nobody knows: then the window runs from there.
    Message.objects.filter(pk=begun).update(state="unknown", settled_at=NOW + timedelta(minutes=2))
    dispatch_due(world.connector.pk, NOW + timedelta(minutes=3))
    held = Message.objects.get(pk=next_one)
    assert (held.state, held.reason, held.due_at) == ("held", "too_often", NOW + timedelta(minutes=2) + 7 * DAY)


@pytest.mark.parametrize("waits", ["queued", "held", "leased"])
def test_one_that_may_have_been_accepted_counts_while_it_waits_for_another_try(world: World, waits: str) -> None:
    ana = world.person()
    prefer(world, ana, every_days=7)
    begun = in_hand(world, ana, expires_at=NOW + 9 * DAY)
    lease = {"lease_token": 7, "leased_until": NOW + timedelta(minutes=9)} if waits == "leased" else {}
    none = {"lease_token": None, "leased_until": None}
    Message.objects.filter(pk=begun).update(state=waits, due_at=NOW + timedelta(minutes=9), **(none | lease))
    next_one = world.queue(ana, expires_at=NOW + 9 * DAY)
    dispatch_due(world.connector.pk, NOW)
    assert state(next_one) == ("held", "too_often")
    assert Message.objects.get(pk=next_one).due_at.replace(microsecond=0) == NOW + timedelta(minutes=1)
    Message.objects.filter(pk=begun).update(state="failed", reason="refused", **none)
    dispatch_due(world.connector.pk, NOW + timedelta(minutes=2))
    assert state(next_one) == ("sent", "")


def test_what_the_provider_certainly_has_not_holds_up_nobody_while_it_waits(world: World) -> None:
    ana = world.person()
    prefer(world, ana, every_days=7)
    begun = in_hand(world, ana, expires_at=NOW + 9 * DAY)
    Message.objects.filter(pk=begun).update(
        state="queued", due_at=NOW + timedelta(minutes=9), lease_token=None, leased_until=None
    )
    RecentSend.objects.filter(message_id=begun).delete()
    next_one = world.queue(ana)
    dispatch_due(world.connector.pk, NOW)
    assert state(next_one) == ("sent", "")


@pytest.mark.parametrize(("fate", "end"), [("failed", ("sent", "")), ("dispatching", ("suppressed", "too_often"))])
def test_with_little_time_left_it_waits_to_its_very_end_for_another_that_may_be_refused(
    world: World, fate: str, end: tuple[str, str]
) -> None:
    ana = world.person()
    prefer(world, ana, every_days=7)
    begun = in_hand(world, ana)
    next_one = world.queue(ana, expires_at=NOW + timedelta(seconds=30))
    dispatch_due(world.connector.pk, NOW)
    held = Message.objects.get(pk=next_one)
    assert (held.state, held.reason, held.settled_at) == ("held", "too_often", None)
    assert held.due_at.replace(microsecond=0) == NOW + timedelta(seconds=20)
    Message.objects.filter(pk=begun).update(state=fate)
    for seconds in (21, 27, 32):
        dispatch_due(world.connector.pk, NOW + timedelta(seconds=seconds))
    assert state(next_one) == end


def test_one_that_was_begun_and_refused_holds_up_nobody(world: World) -> None:
    ana = world.person()
    prefer(world, ana, every_days=7)
    begun = in_hand(world, ana)
    next_one = world.queue(ana, expires_at=NOW + 9 * DAY)
    dispatch_due(world.connector.pk, NOW)
    Message.objects.filter(pk=begun).update(state="failed", reason="refused")
    dispatch_due(world.connector.pk, NOW + timedelta(minutes=2))
    assert state(next_one) == ("sent", "")


def test_one_in_hand_of_another_kind_or_brand_is_not_counted(world: World) -> None:
    ana = world.person()
    prefer(world, ana, every_days=7)
    in_hand(world, ana, purpose_id=people.make_purpose(world.brand, "law", Purpose.Kind.LEGAL).pk)
    Message.objects.filter(pk=in_hand(world, ana)).update(brand=people.make_brand("other"))
    next_one = world.queue(ana)
    dispatch_due(world.connector.pk, NOW)
    assert state(next_one) == ("sent", "")


def test_the_last_one_is_found_by_an_index_of_its_own(world: World) -> None:
    ana = world.person()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        given = [str(ana.address.pk), NOW.isoformat(), str(world.brand.pk), str(ana.profile.pk)]
        cursor.execute("EXPLAIN " + frequency._LAST.replace("%b", "%s"), given)
        assert "using message_taken on" in "\n".join(line for (line,) in cursor.fetchall())


def test_what_the_provider_refused_is_not_counted(world: World) -> None:
    ana = world.person()
    prefer(world, ana, every_days=7)
    first = world.queue(ana)
    dispatch_due(world.connector.pk, NOW)
    Message.objects.filter(pk=first).update(state="failed", reason="refused")
    second = world.queue(ana, due_at=NOW + DAY, expires_at=NOW + 9 * DAY)
    dispatch_due(world.connector.pk, NOW + DAY)
    assert state(second) == ("sent", "")


@pytest.mark.parametrize("kind", [Purpose.Kind.SERVICE, Purpose.Kind.LEGAL])
def test_only_marketing_is_counted_and_held(world: World, kind: str) -> None:
    ana = world.person()
    prefer(world, ana, every_days=7)
    other = people.make_purpose(world.brand, "other", kind)
    TemplateText.objects.filter(locale="pt").update(html="Olá")
    for n in range(2):
        world.queue(ana, purpose_id=other.pk, due_at=NOW - timedelta(seconds=9 - n))
    marketing = world.queue(ana)
    dispatch_due(world.connector.pk, NOW)
    assert list(Message.objects.values_list("state", flat=True)) == ["sent"] * 3
    assert state(marketing) == ("sent", "")


def test_another_persons_messages_do_not_count(world: World) -> None:
    ana, bia = world.person(), world.person("bia@example.com")
    prefer(world, ana, every_days=7)
    sent = [world.queue(one) for one in (bia, ana)]
    dispatch_due(world.connector.pk, NOW)
    assert [state(one) for one in sent] == [("sent", ""), ("sent", "")]


def test_a_topic_is_added_from_link_to_mail_to_button(mail_world: World, sink: SmtpSink) -> None:
    ana = mail_world.person(granted=False)
    path = f"/p/{make_link(Link(ana.address.pk, ana.profile.pk, mail_world.brand.pk, ana.profile.pk))}"
    browser = Client()
    key = f"{mail_world.purpose.pk}.{ana.address.pk}"
    browser.post(f"{path}?lang=pt-br", {"save_topics": "1", "topic": key})
    assert dispatch_due(mail_world.connector.pk, clock.utcnow()) == 1
    message = Message.objects.get(origin_kind="consent")
    assert (message.state, message.purpose.kind, message.locale) == ("sent", "legal", "pt-BR")
    [mail] = sink.received
    assert "List-Unsubscribe" not in mail.data
    body = MessageContent.objects.get(pk=message.pk).body
    assert "“Newsletter”" in body
    [confirm] = re.findall(r"/c/[^\"<\s]+", body)
    asks = [Ask(ana.customer.pk, ana.address.pk, mail_world.purpose.pk)]
    browser.get(confirm)
    assert not permissions(asks, clock.utcnow())[0].allowed
    assert browser.post(confirm, {"confirm": "1"}).status_code == 200
    assert permissions(asks, clock.utcnow())[0].allowed
    assert list(ConsentEntry.objects.order_by("pk").values_list("state", "method")) == [
        ("requested", "link"),
        ("given", "double_opt_in"),
    ]


def test_the_mail_goes_out_in_a_pause_and_not_to_a_suppressed_address(world: World) -> None:
    ana = world.person(granted=False)
    pausing.pause(world.brand.pk, [ana.address.pk], NOW + 7 * DAY, NOW, method="link")
    asking = ask.Asking(
        brand_id=world.brand.pk, address_id=ana.address.pk, profile_id=ana.profile.pk, purpose_id=world.purpose.pk,
        language="en", method="link",
    )  # fmt: skip
    ask.ask(asking, NOW)
    dispatch_due(world.connector.pk, NOW)
    assert Message.objects.get().state == "sent"
    assert TemplateVersion.objects.filter(template__key="consent-confirmation").count() == 1


END_OF_PAUSE = {
    "en": (
        "Please confirm: the end of the pause",
        "Somebody, we hope you, asked Acme to write to this address again, before the pause is over.",
    ),
    "pt-br": (
        "Confirme, por favor: o fim da pausa",
        "Alguém, esperamos que você, pediu que Acme volte a escrever para este endereço, antes do fim da pausa.",
    ),
}


@pytest.mark.parametrize("rewritten", [True, False], ids=["installed", "new"])
@pytest.mark.parametrize("language", END_OF_PAUSE)
def test_the_mail_that_is_to_end_a_pause_says_so_whatever_words_the_brand_has_for_others(
    world: World, language: str, rewritten: bool
) -> None:
    ana = world.person()
    if rewritten:
        installed = Template.objects.create(brand=world.brand, key="consent-confirmation", name="Mine", channel="email")
        version = TemplateVersion.objects.create(template=installed, number=1)
        TemplateText.objects.create(version=version, locale="en", subject="more frequent mail", text="more often")
    pausing.pause(world.brand.pk, [ana.address.pk], NOW + 7 * DAY, NOW, method="link")
    asking = ask.Asking(
        brand_id=world.brand.pk, address_id=ana.address.pk, profile_id=ana.profile.pk, ends_pause=True,
        language=language, method="link",
    )  # fmt: skip
    ask.ask(asking, NOW)
    dispatch_due(world.connector.pk, NOW)
    message = Message.objects.get()
    assert state(message.pk) == ("sent", "")
    subject, sentence = END_OF_PAUSE[language]
    sent = content(message.pk)
    assert (sent.subject, f"<p>{sentence}</p>" in sent.body) == (subject, True)
    assert len(re.findall(r"/c/[^\"<\s]+", sent.body)) == 1


def test_a_brand_without_mail_cannot_ask(db: None) -> None:
    world = make_world()
    assert ask.can_ask(world.brand.pk, "email")
    assert not ask.can_ask(world.brand.pk, "sms")
    world.connector.is_active = False
    world.connector.save()
    assert not ask.can_ask(world.brand.pk, "email")


def test_a_purpose_of_the_brand_s_own_is_not_taken_for_that_of_the_mails_that_confirm(world: World) -> None:
    ana = world.person(granted=False)
    people.make_purpose(world.brand, "consent-confirmation", Purpose.Kind.MARKETING)
    asking = ask.Asking(
        brand_id=world.brand.pk, address_id=ana.address.pk, profile_id=ana.profile.pk, purpose_id=world.purpose.pk,
        language="en", method="link",
    )  # fmt: skip
    ask.ask(asking, NOW)
    dispatch_due(world.connector.pk, NOW)
    message = Message.objects.get()
    assert (message.state, message.purpose.kind, message.purpose.key) == (
        "sent", "legal", "consent-confirmation-by-law",
    )  # fmt: skip


def test_nobody_makes_such_a_purpose(world: World) -> None:
    made = Purpose(brand=world.brand, key="consent-confirmation", name="Mine", kind=Purpose.Kind.MARKETING)
    with pytest.raises(ValidationError) as refused:
        made.full_clean()
    assert list(refused.value.message_dict) == ["kind"]
    made.kind = Purpose.Kind.LEGAL
    made.full_clean()
