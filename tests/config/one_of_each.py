"""One object of every model of ours, so that every page has something to show."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Model

from channels.images.library import take_in
from channels.images.looking import Looked
from channels.models import (
    AlsoViewed,
    Approval,
    ApprovalList,
    BlockUse,
    BreakerTurn,
    Broadcast,
    BroadcastMove,
    BroadcastProgress,
    BroadcastRecipient,
    BroadcastTally,
    Campaign,
    CampaignMember,
    ConnectorHour,
    ConnectorState,
    ContentBlock,
    ContentBlockText,
    ContentBlockVersion,
    Conversation,
    CoView,
    Entitlement,
    EntitlementEntry,
    Exposure,
    Image,
    ImageAlt,
    ImageUse,
    InAppItem,
    Inbound,
    Message,
    MessageContent,
    PacingPolicy,
    Product,
    ProductText,
    ProviderCallback,
    PulledCopy,
    PulledHost,
    PulledSource,
    PushSubscription,
    Receipt,
    RecentSend,
    Recommending,
    Seed,
    SeedList,
    SendStop,
    Task,
    TestSend,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebPlacement,
    WebSlot,
    WebSlotText,
)
from consent.models import (
    Confirmation,
    ConsentEntry,
    ConsentItem,
    ErasedEvidence,
    Erasure,
    LedgerAnchor,
    Pause,
    Preference,
    PrivacyArchive,
    PrivacyRequest,
    PrivacyStep,
    PurposeText,
    Restriction,
    Suppression,
)
from customers.ids import NIL, new_id
from customers.models import (
    AuditEntry,
    AwaitedName,
    BatchClaim,
    DeadLetter,
    DuplicatePair,
    Edge,
    ErasedAddress,
    ErasedSubject,
    Event,
    EventPayload,
    EventType,
    Hook,
    HourTally,
    Identifier,
    Import,
    ImportChunk,
    InboxItem,
    Job,
    KeptAnswer,
    MatchItem,
    MergeItem,
    MessageKey,
    PartnerToken,
    Profile,
    ProfileBrand,
    ProfileMove,
    QuarantinedEvent,
    ReceivedBody,
    RefusedRow,
    RetentionRecord,
    RetentionRule,
    SchemaVersion,
    Segment,
    SegmentInput,
    SegmentItem,
    SegmentMembership,
    SegmentSize,
    SegmentTurn,
    SegmentVersion,
    Source,
    SourceEventType,
    Squad,
    SquadMember,
    Tally,
    Trait,
    TraitDefinition,
    UnitAttempt,
    VisitorSecret,
    WriteKey,
)
from journeys.maps import edit
from journeys.models import (
    Call,
    CallContent,
    CallList,
    CallListRow,
    CancelWatch,
    Cause,
    Changeover,
    DraftRevision,
    EntryMemory,
    EntryRefusal,
    Halt,
    Journey,
    JourneyMap,
    JourneyVersion,
    MapChannel,
    MapStage,
    Occurrence,
    PlacedStep,
    RecheckItem,
    Run,
    RunContext,
    SimulatedEvents,
    Simulation,
    Touchpoint,
    Transition,
)
from tests.channels.world import Person, World, make_world
from tests.consent import people

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
# Where a value comes from outside, it is not to be trusted: pages must show it as it stands.
HOSTILE = "<script>alert(1)</script>"

DOCUMENT: dict[str, Any] = {
    "purpose": "newsletter",
    "states": [{"name": "new", "kind": "initial"}, {"name": "done", "kind": "success"}],
    "transitions": [["new", "done"]],
    "entry": {"event": "Signed Up"},
    "steps": [
        {
            "type": "message",
            "id": "welcome",
            "state": "new",
            "channel": "email",
            "connector": "mail",
            "template": "welcome",
            "next": "end",
        },
        {"type": "exit", "id": "end", "state": "done"},
    ],
}


def make_one_of_each() -> World:
    world = make_world()
    ana, bia = world.person("ana@example.com"), world.person("bia@example.com")
    source = people.make_source(world.brand)
    _owners(world, source)
    _identity(world, source, ana, bia)
    _events(world, source, ana.profile)
    _segment(world, ana)
    _consent(world, source, ana)
    _privacy(world, source, ana)
    run = _journeys(world, ana)
    _map(world, run)
    _outbox(world, ana, run)
    _push(world, ana)
    _webhook(world, ana)
    _books(world)
    _content(world)
    return world


def _content(world: World) -> None:
    """A block that the template was made of."""
    block = ContentBlock.objects.create(brand=world.brand, key="footer", name="Footer")
    version = ContentBlockVersion.objects.create(block=block, number=1)
    ContentBlockText.objects.create(version=version, locale="en", html=HOSTILE, text=HOSTILE)
    Approval.objects.create(connector=world.connector, name=HOSTILE, language="en", state="approved", as_of=NOW)
    ApprovalList.objects.create(connector=world.connector, asked_at=NOW, fault=HOSTILE)
    PulledHost.objects.create(brand=world.brand, host="api.acme.example")
    PulledSource.objects.create(
        version=world.version, name="weather", url="https://api.acme.example/", fallback=HOSTILE
    )
    PulledCopy.objects.create(key=new_id(), body=HOSTILE, is_personal=True, expires_at=NOW)
    image = Image(brand=world.brand, key="logo", name=HOSTILE)
    take_in(image, Looked(b"pixels", Image.Kind.PNG, 4, 3), by_id=None, now=NOW)
    image.save()
    ImageAlt.objects.create(image=image, locale="en", text=HOSTILE)
    ImageUse.objects.create(image=image, text=world.version.texts.get(locale="en"))
    BlockUse.objects.create(text=world.version.texts.get(locale="en"), block_version=version)


def _owners(world: World, source: Source) -> None:
    squad = Squad.objects.create(brand=world.brand, name="Onboarding")
    member = get_user_model().objects.create_user("member")
    SquadMember.objects.create(squad=squad, user=member, role=SquadMember.Role.DATA_OWNER)
    WriteKey.objects.create(source=source, prefix="live_abcdefg", digest=b"w" * 32)
    token = PartnerToken.objects.create(
        brand=world.brand,
        name=HOSTILE,
        scopes=["events:write"],
        prefix="trilha_live_abcdef",
        digest=b"t" * 32,
        created_at=NOW,
        expires_at=NOW + timedelta(days=90),
    )
    token.sources.add(source)
    KeptAnswer.objects.create(
        token=token, route="POST api/v1/events", key=HOSTILE, fingerprint=b"k" * 32, started_at=NOW
    )
    counted = {"source": source, "outcome": "accepted", "name": HOSTILE, "count": 7}
    Tally.objects.create(at=NOW, **counted)
    HourTally.objects.create(hour=NOW, last_at=NOW, **counted)
    RetentionRule.objects.create(kind="quarantine_open", brand=world.brand, days=60)
    RetentionRecord.objects.create(kind="quarantine_open", brand=world.brand, cutoff=NOW, rows=7, at=NOW)
    type_ = EventType.objects.create(brand=world.brand, name="Signed Up")
    SchemaVersion.objects.create(event_type=type_, number=1, schema={"type": "object"})
    SourceEventType.objects.create(source=source, event_type=type_)


def _identity(world: World, source: Source, ana: Person, bia: Person) -> None:
    for person, value in ((ana, HOSTILE), (bia, "bia")):
        Identifier.objects.create(
            namespace=NIL, kind_id="user_id", value=value, original=value, profile=person.profile, opened_at=NOW
        )
    low, high = sorted((ana.profile, bia.profile), key=lambda profile: profile.pk)
    Edge.objects.create(
        low=low, high=high, assurance=1, occurred_at=NOW, source_id=source.pk, message_id="m", recorded_at=NOW
    )
    evidence = [{"on": "names", "weight": 4.2, "level": 5, "of": 6}]
    DuplicatePair.objects.create(low=low, high=high, probability=0.97, evidence=evidence, found_at=NOW)
    ProfileBrand.objects.create(profile=ana.profile, brand=world.brand, first_seen_at=NOW)
    Trait.objects.create(profile=ana.profile, name="plan", value=HOSTILE, valid_from=NOW, recorded_at=NOW, event_id=1)
    TraitDefinition.objects.create(name="plan", label="Plan")
    ProfileMove.objects.create(
        profile=bia.profile, from_customer_id=bia.customer.pk, to_customer_id=ana.customer.pk, at=NOW, was_since=NOW
    )
    ErasedSubject.objects.create(digest=b"e" * 32, erased_at=NOW)
    MergeItem.objects.create(
        profile_id=bia.profile.pk, from_customer_id=bia.customer.pk, to_customer_id=ana.customer.pk, queued_at=NOW
    )


def _events(world: World, source: Source, profile: Profile) -> None:
    times = {"received_at": NOW, "occurred_at": NOW}
    event = {"message_id": "m-1", "kind": "track", "name": "Signed Up", **times}
    Event.objects.create(id=1, brand=world.brand, source=source, profile=profile, **event)
    EventPayload.objects.create(event_id=1, received_at=NOW, payload={"properties": {"plan": HOSTILE}})
    InboxItem.objects.create(source=source, identifiers="[]", identifier_keys=[1], payload=HOSTILE, **event)
    MessageKey.objects.create(key=new_id(), fingerprint=new_id(), received_at=NOW)
    QuarantinedEvent.objects.create(
        source=source, door="segment", code="wrong_type", pointer="/userId", raw=HOSTILE, received_at=NOW
    )
    _import(source)
    VisitorSecret.objects.create(source=source)
    hook = Hook.objects.create(source=source, name="Payments")
    ReceivedBody.objects.create(
        hook=hook, received_at=NOW, key=new_id(), digest=new_id(), content_type="application/json",
        headers={"x-topic": HOSTILE}, body=HOSTILE.encode(),
    )  # fmt: skip
    AwaitedName.objects.create(name="Signed Up", waiter="journey_version:1")
    MatchItem.objects.create(
        event_id=1, profile_id=profile.pk, brand_id=world.brand.pk, name="Signed Up", message_id="m-1", **times
    )


def _import(source: Source) -> None:
    """A file that somebody looks at before it is imported, and a row that was refused."""
    data = b"email,plan\nana@example.com,<script>alert(1)</script>\n"
    parent = Import.objects.create(
        source=source,
        rows=Import.Rows.CUSTOMERS,
        file_name=HOSTILE,
        size=len(data),
        digest="0" * 64,
        encoding="utf-8",
        delimiter=",",
        columns=["email", "plan"],
        created_at=NOW,
    )
    ImportChunk.objects.create(parent=parent, number=0, data=data)
    RefusedRow.objects.create(parent=parent, row=2, code="not_a_time", message="No.", cells=[HOSTILE])


def _segment(world: World, ana: Person) -> None:
    rule = {"leaf": "attribute", "name": "plan", "op": "eq", "value": HOSTILE}
    segment = Segment.objects.create(
        brand=world.brand, key="hostile", name=HOSTILE, rule=rule, rule_version=1, state="live", size=1, counted_at=NOW
    )
    SegmentVersion.objects.create(segment=segment, number=1, rule=rule, made_at=NOW)
    SegmentInput.objects.create(segment=segment, kind="trait", name="plan")
    SegmentMembership.objects.create(
        segment=segment, profile=ana.profile, customer_id=ana.customer.pk, entered_at=NOW, rule_version=1
    )
    SegmentItem.objects.create(segment=segment, profile_id=ana.profile.pk, queued_at=NOW)
    SegmentTurn.objects.create(segment=segment, profile_id=ana.profile.pk, due_at=NOW)
    for days in range(2):
        SegmentSize.objects.create(segment=segment, day=(NOW - timedelta(days=days)).date(), size=days)


def _consent(world: World, source: Source, ana: Person) -> None:
    people.make_notice(world.brand)
    PurposeText.objects.create(purpose=world.purpose, locale="en", name=HOSTILE, description=HOSTILE)
    Pause.objects.create(
        brand=world.brand, address=ana.address, since=NOW, until=NOW + timedelta(days=7), method="link"
    )
    Preference.objects.create(brand=world.brand, address=ana.address, language="pt-BR", every_days=7, changed_at=NOW)
    Confirmation.objects.create(
        brand=world.brand, address=ana.address, profile=ana.profile, purpose=world.purpose, method="link",
        asked_at=NOW, expires_at=NOW + timedelta(days=3),
    )  # fmt: skip
    Suppression.objects.create(address=ana.address, reason="bounce", created_at=NOW)
    ErasedEvidence.objects.create(entry=ConsentEntry.objects.latest("pk"), erased_at=NOW)
    covered = {"chains": 1, "entries": 1, "days": 1, "audit_entries": 1, "deviations": 0}
    LedgerAnchor.objects.create(number=1, at=NOW, root=b"r" * 32, **covered)
    ConsentItem.objects.create(
        address_id=ana.address.pk,
        profile_id=ana.profile.pk,
        brand_id=world.brand.pk,
        source_id=source.pk,
        event_id=1,
        message_id="m-1",
        occurred_at=NOW,
        received_at=NOW,
        request={},
    )


def _privacy(world: World, source: Source, ana: Person) -> None:
    """A request with its steps, a file that was made for it, a restriction and an erasure that is done."""
    request = PrivacyRequest.objects.create(
        brand=world.brand, kind="access", law="lgpd", channel="api", source=source, state="ready", assurance=3,
        subject=[[str(NIL), "email", "ana@example.com", HOSTILE]], opened_at=NOW, due_on=date(2100, 1, 1),
    )  # fmt: skip
    PrivacyStep.objects.create(request=request, at=NOW, state="ready", assurance=3, note=HOSTILE)
    PrivacyArchive.objects.create(request=request, made_at=NOW, expires_at=NOW, size=1, digest="0" * 64, removed_at=NOW)
    Restriction.objects.create(request=request, profile_id=ana.profile.pk, since=NOW, lifted_at=NOW)
    Erasure.objects.create(request=request, brand=world.brand, begun_at=NOW, finished_at=NOW, counts={"events": 3})
    ErasedAddress.objects.create(digest=b"a" * 32, address_id=ana.address.pk, erased_at=NOW)


def _journeys(world: World, ana: Person) -> Run:
    journey = Journey.objects.create(brand=world.brand, key="welcome", name="Welcome", draft=DOCUMENT)
    bindings = {
        "connectors": {"mail": str(world.connector.pk)},
        "templates": {"welcome": world.version.pk},
        "purposes": {"newsletter": str(world.purpose.pk)},
    }
    version = JourneyVersion.objects.create(
        journey=journey, number=1, definition=DOCUMENT, bindings=bindings, published_at=NOW
    )
    place = {"step": 0, "state": 0, "seq": 1, "entered_at": NOW, "stepped_at": NOW}
    run = Run.objects.create(
        journey=journey, version=version, customer=ana.customer, profile=ana.profile, due_at=NOW, **place
    )
    RunContext.objects.create(run=run, event_id=1, occurred_at=NOW, variables={"plan": HOSTILE})
    Transition.objects.create(run=run, seq=1, at=NOW, step_to=0, state_to=0, cause=Cause.ENTERED)
    EntryMemory.objects.create(journey_id=journey.pk, profile_id=ana.profile.pk, last_entered_at=NOW)
    EntryRefusal.objects.create(
        journey_id=journey.pk, version_id=version.pk, profile_id=ana.profile.pk, reason="no_consent", at=NOW
    )
    RecheckItem.objects.create(run_id=run.pk)
    simulation = Simulation.objects.create(
        journey=journey,
        job=Job.objects.create(kind="simulation", created_at=NOW, state="done"),
        versions=[],
        since=NOW,
        until=NOW,
        created_at=NOW,
    )
    SimulatedEvents.objects.create(simulation=simulation, data=HOSTILE)
    call = Call.objects.create(
        run=run, visit=1, journey=journey, version=version, profile=ana.profile, step=0,
        connector_id=world.connector.pk, created_at=NOW, due_at=NOW, state=Call.State.ANSWERED, settled_at=NOW,
    )  # fmt: skip
    CallContent.objects.create(call=call, target=HOSTILE, headers={}, body=HOSTILE, reply=HOSTILE)
    Changeover.objects.create(journey=journey, version=version, plan=[], since=NOW, settled_at=NOW)
    handed_in = CallList.objects.create(journey=journey, kind="email", columns=[HOSTILE], lines=1, created_at=NOW)
    CallListRow.objects.create(
        parent=handed_in, line=1, value=HOSTILE, data={HOSTILE: HOSTILE}, profile_id=ana.profile.pk
    )
    Occurrence.objects.create(journey=journey, version=version, at=NOW, state="paused", settled_at=NOW)
    Halt.objects.create(journey=journey, waiting="time_stands", since=NOW, settled_at=NOW)
    return run


def _map(world: World, run: Run) -> None:
    """One of each part, and the revision that adding it leaves."""
    map_ = JourneyMap.objects.create(brand=world.brand, name="Main", persona=HOSTILE)
    stage = edit.add(MapStage(map=map_, name=HOSTILE), by=None, now=NOW)
    channel = edit.add(MapChannel(map=map_, kind=MapChannel.Kind.EMAIL), by=None, now=NOW)
    met = edit.add(Touchpoint(map=map_, stage=stage, channel=channel, name=HOSTILE), by=None, now=NOW)
    PlacedStep.objects.create(touchpoint=met, journey_id=run.journey_id, step_id="welcome")
    DraftRevision.objects.create(journey_id=run.journey_id, number=1, document={"purpose": HOSTILE}, saved_at=NOW)


def _outbox(world: World, ana: Person, run: Run) -> None:
    message_id: UUID = world.queue(ana, origin_id=str(run.pk), scope_id=run.journey_id)
    message = Message.objects.get(pk=message_id)
    MessageContent.objects.filter(pk=message_id).update(subject="Olá", body=HOSTILE)
    RecentSend.objects.create(address=ana.address, copy_key=message.copy_key, sent_at=NOW, message_id=message_id)
    CancelWatch.objects.create(message_id=message_id, run_id=run.pk, version_id=run.version_id, step=0)
    SendStop.objects.create(scope_id=run.journey_id, stopped_at=NOW)
    PacingPolicy.objects.create(
        policy_id=message_id,
        brand=world.brand,
        name=HOSTILE,
        kind="cap",
        most=99,
        span=1,
        reason=HOSTILE,
        valid_from=NOW,
    )
    Exposure.objects.create(
        brand=world.brand, scope_id=run.journey_id, key="which", unit=str(run.pk), arm=HOSTILE, profile=ana.profile,
        run_id=run.pk, at=NOW,
    )  # fmt: skip
    _told_back(message, ana)
    granted = Entitlement.objects.create(
        brand=world.brand, profile=ana.profile, key=HOSTILE[:60], quantity=2, remaining=1, granted_at=NOW,
        origin="staff", idempotency_key=HOSTILE[:100], reason=HOSTILE, ended_reason=HOSTILE,
    )  # fmt: skip
    EntitlementEntry.objects.create(
        brand=world.brand, entitlement=granted, kind="use", quantity=1, remaining=1, at=NOW, origin="staff",
        idempotency_key=HOSTILE[:100],
    )  # fmt: skip
    Task.objects.create(
        key=new_id(), brand=world.brand, connector=message.connector, message=message, profile=ana.profile,
        address=ana.address, kind="call", queue=HOSTILE[:60], title=HOSTILE, instructions=HOSTILE, priority=50,
        made_at=NOW, due_at=NOW + timedelta(days=3650), note=HOSTILE,
    )  # fmt: skip
    seeds = SeedList.objects.create(brand=world.brand, name=HOSTILE)
    Seed.objects.create(list=seeds, channel="email", value="seed@acme.example", label=HOSTILE)
    TestSend.objects.create(
        brand=world.brand, version=world.version, connector=message.connector, profile=ana.profile, channel="email",
        recipient="seed@acme.example", compared="seed@acme.example", key=new_id(), locale="en",
        subject=HOSTILE, html=HOSTILE, text=HOSTILE, detail=HOSTILE,
        asked_at=NOW,
    )  # fmt: skip
    campaign = Campaign.objects.create(brand=world.brand, key="spring", name=HOSTILE, notes=HOSTILE)
    CampaignMember.objects.create(scope_id=run.journey_id, campaign=campaign, added_at=NOW)
    _broadcast(world, message, ana)
    _products(message)
    _on_screen(message, ana)


def _broadcast(world: World, message: Message, ana: Person) -> None:
    version = message.template_version
    sent = Broadcast.objects.create(
        brand=world.brand, key="hello", name=HOSTILE, segment=Segment.objects.filter(brand=world.brand)[0],
        purpose=message.purpose, channel="email", connector=message.connector, template=version.template,
        template_version=version, state="waiting", begins_at=NOW, begun_at=NOW, pilot_percent=10, pilot_over_at=NOW,
        most_bounced=5.0,
    )  # fmt: skip
    BroadcastProgress.objects.create(broadcast=sent, recipients=1, pilots=1)
    BroadcastRecipient.objects.create(broadcast=sent, profile=ana.profile, is_pilot=True, outcome="no_consent")
    BroadcastTally.objects.create(broadcast=sent, is_pilot=True, outcome="no_consent", recipients=1)
    BroadcastMove.objects.create(broadcast=sent, at=NOW, state_from="pilot", state_to="waiting", reason=HOSTILE)


def _products(message: Message) -> None:
    mug = Product.objects.create(
        brand=message.brand, key="MUG-1", name=HOSTILE, description=HOSTILE, price=1, currency="BRL",
        url="https://acme.example", category=HOSTILE, attributes={"colour": HOSTILE}, updated_at=NOW,
    )  # fmt: skip
    cup = Product.objects.create(brand=message.brand, key="CUP-1", name=HOSTILE, updated_at=NOW)
    ProductText.objects.create(product=mug, locale="pt", name=HOSTILE)
    Recommending.objects.create(brand=message.brand, purpose=message.purpose)
    CoView.objects.create(brand=message.brand, day=NOW.date(), product=mug, other=cup, people=2)
    AlsoViewed.objects.create(brand=message.brand, product=mug, other=cup, place=1, weight=2)


def _on_screen(message: Message, ana: Person) -> None:
    slot = WebSlot.objects.create(brand=message.brand, key="home-hero", name=HOSTILE, where=HOSTILE)
    WebSlotText.objects.create(
        slot=slot, locale="en", title=HOSTILE, body=HOSTILE, link="/x", image="/y", button=HOSTILE
    )
    shown: dict[str, Any] = {
        "brand": message.brand, "message": message, "profile": ana.profile, "address": ana.address,
        "purpose": message.purpose, "title": HOSTILE, "body": HOSTILE, "link": "/x", "image": "/y", "button": HOSTILE,
        "placed_at": NOW, "expires_at": NOW + timedelta(days=3650),
    }  # fmt: skip
    InAppItem.objects.create(key=new_id(), **shown)
    WebPlacement.objects.create(key=new_id(), slot=slot, scope_id=message.scope_id, **shown)


def _told_back(message: Message, ana: Person) -> None:
    """What a provider said of a message, and what its reader wrote back."""
    ConnectorState.objects.create(connector=message.connector, failures=1, detail=HOSTILE)
    ConnectorHour.objects.create(connector=message.connector, hour=NOW, taken=1, within=[1, *[0] * 10])
    BreakerTurn.objects.create(connector=message.connector, at=NOW, turn="closed", detail=HOSTILE)
    callback = ProviderCallback.objects.create(
        connector=message.connector, received_at=NOW, key=new_id(), headers={"x-topic": HOSTILE}, body=HOSTILE.encode()
    )
    Receipt.objects.create(
        connector=message.connector, callback=callback, message=message, happened="delivered", at=NOW, received_at=NOW,
        detail=HOSTILE, key=new_id(), look_at=NOW,
    )  # fmt: skip
    conversation = Conversation.objects.create(
        brand=message.brand, channel="email", connector=message.connector, address=ana.address, profile=ana.profile,
        began_at=NOW, last_at=NOW,
    )  # fmt: skip
    Inbound.objects.create(
        conversation=conversation, key=new_id(), about=message, at=NOW, received_at=NOW, text=HOSTILE, suggestion="stop"
    )


def _push(world: World, ana: Person) -> None:
    PushSubscription.objects.create(
        address=ana.address, connector=world.connector, public_key="B", keys=b"", created_at=NOW, told_at=NOW
    )


def _webhook(world: World, ana: Person) -> None:
    endpoint = WebhookEndpoint.objects.create(
        brand=world.brand, name=HOSTILE, url="https://partner.example/hooks", events=["Signed Up"], owner=HOSTILE,
        created_at=NOW,
    )  # fmt: skip
    delivery = WebhookDelivery.objects.create(
        endpoint=endpoint, event_id=1, received_at=NOW, profile_id=ana.profile.pk, name="Signed Up", queued_at=NOW,
        due_at=NOW + timedelta(days=365), reason="status_500", status=500, attempts=1, tries=1,
    )  # fmt: skip
    WebhookAttempt.objects.create(
        delivery=delivery, endpoint=endpoint, at=NOW, status=500, reason="status_500", milliseconds=7, reply=HOSTILE
    )


def _books(world: World) -> None:
    BatchClaim.objects.create(queue="match", unit_ids=[1, 2], started_at=NOW)
    UnitAttempt.objects.create(queue="match", unit_id=1, attempts=2, reason=HOSTILE, next_at=NOW + timedelta(seconds=1))
    DeadLetter.objects.create(at=NOW, queue="match", unit_id=9, reason="died", attempts=5, row={"id": 9})
    Job.objects.create(kind="traits", brand=world.brand, subject=HOSTILE, total=9, report={"seen": 1}, created_at=NOW)
    AuditEntry.objects.create(
        at=NOW,
        day=date(2026, 3, 2),
        brand=world.brand,
        action="publish",
        object_type="journey",
        object_id="1",
        position=1,
        previous=bytes(32),
        digest=b"d" * 32,
    )


def first(model: type[Model]) -> Any:
    return model._default_manager.first()
