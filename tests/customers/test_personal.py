"""Personal data: every field is marked or known to hold none, and what is marked is masked on every page."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.db import models
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from consent.models import ConsentEntry, Suppression
from customers import personal
from customers.models import Address, Brand, Customer, Identifier, Profile, Trait
from tests.config.one_of_each import make_one_of_each
from tests.config.route_world import own_ids, routes

APPS = ("customers", "consent", "channels", "journeys", "analytics")
MODELS = [model for app in APPS for model in apps.get_app_config(app).get_models()]
EMAIL = "ana@example.com"

# Text, JSON and bytes that hold nothing of a customer: names and words of the staff, codes, keys of the business
# (carts, orders, messages), keyed digests, and what is sealed.
# Fields that can hold no text, or none that a page would show.
NO_TEXT = (models.BinaryField, models.FloatField, models.BooleanField, models.DateTimeField)
NOT_PERSONAL = {
    "channels.Approval": "name language category quality reason button_places",
    "channels.ApprovalList": "fault",
    "analytics.MapCount": "basis",
    "analytics.TouchpointDay": "outcome",
    # Without what could be an address (channels.care.breaker).
    "channels.BreakerTurn": "detail",
    # What is said when one is paused or stopped is of the broadcast.
    "channels.Broadcast": "key name zones",
    "channels.BroadcastMove": "reason numbers",
    "channels.BroadcastProgress": "lately",
    "channels.BroadcastTally": "outcome",
    "channels.Campaign": "key name notes utm_source utm_medium utm_campaign utm_content",
    "channels.Connector": "key name provider config credentials owner documentation_url region",
    "channels.ConnectorState": "detail known",
    "channels.ContentBlock": "key name",
    "channels.ContentBlockText": "locale mjml html text",
    "channels.Entitlement": "key origin_id step_id entry_key idempotency_key",
    "channels.EntitlementEntry": "origin_id idempotency_key",
    "channels.Exposure": "key unit arm",
    "channels.Inbound": "provider_id",
    "channels.InAppItem": "locale",
    "channels.Image": "key name file digest",
    "channels.ImageAlt": "locale text",
    "channels.Message": "origin_id copy_key step_id provider_id locale decision",
    "channels.PacingPolicy": "name reason days",
    "channels.Product": "key name description currency url image category attributes",
    "channels.ProductText": "locale name description",
    "channels.ProviderCallback": "content_type reason",
    "channels.PulledHost": "host secret detail",
    "channels.PulledSource": "name url fallback",
    "channels.PushSubscription": "public_key keys",
    "channels.Receipt": "provider_id code",
    "channels.RecentSend": "copy_key",
    "channels.Seed": "label",
    "channels.SeedList": "name",
    "channels.SendStop": "reason",
    "channels.StoredFile": "name data",
    "channels.Task": "queue reason",
    "channels.Template": "key name",
    "channels.TemplateText": "locale subject mjml html text options authored",
    "channels.TestSend": "locale",
    "channels.WebPlacement": "locale",
    "channels.WebSlot": "key name where",
    "channels.WebSlotText": "locale title body link image button",
    "channels.WebhookAttempt": "reason",
    "channels.WebhookDelivery": "name reason",
    "channels.WebhookEndpoint": "name url secrets owner documentation_url",
    "consent.ConsentChain": "digest",
    "consent.ConsentEntry": "message_id language legal_basis jurisdiction collector withdrawal_path"
    " previous commitment digest",
    "consent.ConsentEvidence": "salt",
    "consent.ConsentItem": "message_id",
    "consent.LedgerAnchor": "root",
    "consent.Notice": "key name",
    "consent.NoticeText": "locale text digest",
    "consent.Confirmation": "language",
    "consent.Pause": "message_id",
    "consent.Preference": "language",
    "consent.Erasure": "counts",
    "consent.PrivacyArchive": "digest counts",
    "consent.PrivacyRequest": "refusal",
    "consent.Purpose": "key name description",
    "consent.PurposeText": "locale name description",
    # Masked before it is written.
    "customers.AuditEntry": "action object_type object_id before after previous digest",
    "customers.Authenticator": "secret",
    "customers.VisitorSecret": "secret",
    "customers.AwaitedName": "name waiter",
    "customers.BatchClaim": "queue",
    "customers.Brand": "key name zone locale currency sender_name sender_email postal_address",
    "customers.Customer": "zone locale country",
    "customers.DeadLetter": "queue",
    "customers.DuplicatePair": "evidence",
    "customers.Edge": "message_id",
    "customers.ErasedAddress": "digest",
    "customers.ErasedSubject": "digest",
    "customers.Event": "kind name message_id",
    "customers.EventType": "name description amount_property currency_property key_property",
    "customers.HourTally": "code name",
    "customers.Hook": "name header prefix secrets mapping",
    "customers.IdentifierKind": "key name scheme",
    # Headings, what is made of them, and a name that the staff gave a file.
    "customers.Import": "file_name digest columns choices mapping",
    "customers.InboxItem": "message_id kind name",
    "customers.Job": "kind subject arguments cursor report reason",
    "customers.KeptAnswer": "route key content_type location digest fingerprint",
    "customers.LogInBackOff": "digest",
    "customers.MatchItem": "name message_id",
    "customers.PartnerToken": "name prefix digest",
    "customers.QuarantinedEvent": "door code pointer message_id name last_code",
    "customers.ReceivedBody": "delivery_id content_type reason problems",
    "customers.RecoveryCode": "digest",
    "customers.RefusedRow": "code message hint place",
    "customers.RetentionRecord": "kind partition",
    "customers.RetentionRule": "kind",
    "customers.SchemaVersion": "schema upcast",
    "customers.Segment": "key name description rule",
    "customers.SegmentInput": "name",
    "customers.SegmentVersion": "rule",
    "customers.Source": "key name owner documentation_url notes region",
    "customers.Squad": "name",
    "customers.Tally": "code name",
    "customers.Trait": "name",
    "customers.TraitDefinition": "name label description",
    "customers.UnitAttempt": "queue",
    "customers.WriteKey": "prefix digest public",
    "journeys.Call": "state error tries",
    # Names of columns that are properties of the journey, and counts.
    "journeys.CallList": "kind columns found reasons",
    "journeys.Changeover": "plan",
    "journeys.DraftRevision": "document",
    "journeys.EntryMemory": "entry_key",
    "journeys.EntryRefusal": "entry_key",
    "journeys.Journey": "key name description draft ramp_over",
    "journeys.JourneyMap": "name persona description",
    "journeys.JourneyVersion": "definition bindings",
    "journeys.MapChannel": "name",
    "journeys.MapRevision": "values",
    "journeys.MapStage": "name question feeling good_experience next_step",
    "journeys.PlacedStep": "step_id",
    "journeys.Run": "entry_key",
    "journeys.Variable": "name",
    "journeys.RunContext": "message_id",
    # Counts and paths, which name nobody.
    "journeys.Simulation": "versions results assumed",
    "journeys.Touchpoint": "name customer_is customer_wants removes_friction next_step message expected_action"
    " expected_event arrival_event",
}
HOLDS_ANYTHING = (models.CharField, models.TextField, models.JSONField, models.BinaryField, models.GeneratedField)

pytestmark = pytest.mark.django_db


def test_every_field_is_marked_or_known_to_hold_nothing_personal() -> None:
    undecided = {
        (model._meta.label, field.name)
        for model in MODELS
        for field in model._meta.concrete_fields
        if isinstance(field, HOLDS_ANYTHING) and not field.choices and field.name not in personal.names(model)
    }
    listed = {(label, name) for label, names in NOT_PERSONAL.items() for name in names.split()}
    assert undecided - listed == set()
    assert not {(model._meta.label, name) for model in MODELS for name in personal.names(model)} & listed


@pytest.mark.parametrize(
    ("value", "kind", "shown"),
    [
        (EMAIL, personal.IDENTIFIER, "a•••@e•••"),
        ("+5511987654321", personal.IDENTIFIER, "•••21"),
        ("u1", personal.IDENTIFIER, "•••"),
        ("12345678900", personal.IDENTIFIER, "•••00"),
        ("", personal.IDENTIFIER, ""),
        (None, personal.TEXT, None),
        ("Dear Ana", personal.TEXT, "•••"),
        ({"plan": "gold", "n": 3, "on": True}, personal.DOCUMENT, {"plan": "•••", "n": "•••", "on": True}),
        ([None, ""], personal.DOCUMENT, [None, "•••"]),
        ({"a": [{"b": EMAIL}], EMAIL: 1}, personal.DOCUMENT, {"a": [{"b": "•••"}], "•••": "•••"}),
        (7, personal.DOCUMENT, "•••"),
        ({"plan": "gold"}, personal.TRAITS, {"plan": "•••"}),
    ],
)  # fmt: skip
def test_a_mask_leaves_the_shape(value: object, kind: str, shown: object) -> None:
    assert personal.mask(value, kind) == shown


def staff(name: str, brand: Brand, *rights: str, role: str = "auditor") -> User:
    user = User.objects.create_user(name, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    for right in rights:
        assign_perm(right, user, brand)
    return user


def page(model: type[models.Model], view: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}", args=args)


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def brand() -> Brand:
    return make_one_of_each().brand


def test_rows_are_masked_for_who_may_not_read_them(brand: Brand) -> None:
    masked, reader = staff("masked", brand, "view_brand"), staff("reader", brand, "view_brand", "view_pii")
    assert {address.value for address in Address.objects.shown_to(masked)} == {"a•••@e•••", "b•••@e•••"}
    assert EMAIL in {address.value for address in Address.objects.shown_to(reader)}
    assert {trait.value for trait in Trait.objects.shown_to(masked)} == {"•••"}


def test_what_is_reached_from_a_masked_row_is_masked_too(brand: Brand) -> None:
    masked = staff("masked", brand, "view_brand")
    for rows in (Suppression.objects.shown_to(masked), ConsentEntry.objects.shown_to(masked)):
        assert rows.count() > 0
        assert {row.address.value for row in rows.select_related("address")} <= {"a•••@e•••", "b•••@e•••"}
        assert {row.address.value for row in rows} <= {"a•••@e•••", "b•••@e•••"}
    shown = Customer.objects.shown_to(masked)
    assert {profile.identifier.value for customer in shown for profile in customer.profiles.all()} == {"•••t>", "•••"}
    loaded = Customer.objects.shown_to(masked).prefetch_related("profiles__traits")
    profiles = [profile for customer in loaded for profile in customer.profiles.all()]
    assert {trait.value for profile in profiles for trait in profile.traits.all()} == {"•••"}


def test_a_masked_row_is_never_saved_and_gives_no_bare_values(brand: Brand) -> None:
    masked = staff("masked", brand, "view_brand")
    address = Address.objects.shown_to(masked)[0]
    with pytest.raises(TypeError, match="masked"):
        address.save()
    with pytest.raises(TypeError, match="Bare values"):
        list(Address.objects.shown_to(masked).values_list("value", flat=True))
    address.refresh_from_db()
    assert EMAIL not in (address.value, str(address))


def test_personal_data_of_one_brand_is_not_readable_by_right_of_another(brand: Brand) -> None:
    other = Brand.objects.create(key="other", name="Other")
    user = staff("half", brand, "view_brand")
    for right in ("view_brand", "view_pii"):
        assign_perm(right, user, other)
    assert {address.value for address in Address.objects.shown_to(user)} == {"a•••@e•••", "b•••@e•••"}


def test_no_page_shows_a_personal_value_to_who_may_not_read_it(brand: Brand) -> None:
    for model in MODELS:
        one = [row.pk for row in model._default_manager.all()[:1]]
        for name, kind in personal.fields(model).items():
            value: Any = {"name": EMAIL} if kind in (personal.DOCUMENT, personal.TRAITS) else EMAIL
            if not isinstance(model._meta.get_field(name), NO_TEXT):
                # One row of each, as some values may be there once only.
                model._default_manager.filter(pk__in=one).update(**{name: value})
    client = as_(staff("masked", brand, "view_brand"))
    shown, opened = [], 0
    for route in (route for route in routes() if route.pattern.startswith("admin/")):
        answer = client.get(route.path(own_ids(route)))
        assert answer.status_code < 500, route
        opened += answer.status_code == 200
        if not answer.streaming and EMAIL in answer.content.decode():
            shown.append(route.pattern)
    assert shown == []
    assert opened > 100


def test_who_may_read_it_does(brand: Brand) -> None:
    client = as_(staff("reader", brand, "view_brand", "view_pii"))
    address = Address.objects.get(value=EMAIL)
    assert EMAIL in client.get(page(Address, "changelist")).content.decode()
    assert EMAIL in client.get(page(Address, "change", address.pk)).content.decode()


def found(user: User, model: type[models.Model], term: str) -> int:
    count: int = as_(user).get(page(model, "changelist"), {"q": term}).context["cl"].result_count
    return count


@pytest.mark.parametrize("model", [Customer, Profile, Identifier, Address])
def test_search_confirms_no_value_to_who_may_not_read_it(model: Any, brand: Brand) -> None:
    Identifier.objects.filter(profile__brands__isnull=False).update(value=EMAIL)
    masked, reader = staff("masked", brand, "view_brand"), staff("reader", brand, "view_brand", "view_pii")
    assert (found(masked, model, EMAIL), found(reader, model, EMAIL)) == (0, 1)


def test_search_confirms_nothing_that_another_brand_knows(brand: Brand) -> None:
    """Bia's profile was seen in no brand of the searcher's, though her customer was."""
    reader = staff("reader", brand, "view_brand", "view_pii")
    ana, bia = Identifier.objects.get(value__contains="script"), Identifier.objects.get(value="bia")
    Brand.objects.create(key="other", name="Other")
    Profile.objects.filter(pk=bia.profile_id).update(customer=ana.profile.customer)
    assert found(reader, Customer, "bia") == 0
    assert found(reader, Customer, str(bia.profile_id)) == 0
    assert found(reader, Customer, str(ana.profile_id)) == 1


def test_masked_columns_cannot_be_sorted_by(brand: Brand) -> None:
    client = as_(staff("masked", brand, "view_brand"))
    listed = client.get(page(Address, "changelist"), {"o": "1.2.3.4"}).context["cl"]
    assert "value" not in listed.get_ordering_field_columns()
    assert not [name for name in listed.sortable_by if name in ("value", "original")]
