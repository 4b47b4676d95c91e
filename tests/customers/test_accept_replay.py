"""What was refused can be sent through acceptance again once its cause is mended."""

from datetime import timedelta

from customers.models import InboxItem, QuarantinedEvent, Source
from customers.quarantine import replay
from tests.customers.segment_door import NOW, Door, track

LATER = NOW + timedelta(days=120)


def refused_as_unplanned(door: Door) -> QuarantinedEvent:
    Source.objects.update(unplanned=Source.Unplanned.QUARANTINE)
    door.post("/v1/track", track())
    return QuarantinedEvent.objects.get()


def test_a_mended_message_is_accepted_once_however_often_it_is_replayed(door: Door) -> None:
    row = refused_as_unplanned(door)
    Source.objects.update(unplanned=Source.Unplanned.ACCEPT)
    assert replay([row.id], LATER).replayed == 1
    assert replay([row.id], LATER).replayed == 0
    row.refresh_from_db()
    assert (row.status, row.settled_at) == ("replayed", LATER)
    message = InboxItem.objects.get()
    assert (message.message_id, message.received_at, message.name) == ("m-1", LATER, "Order Completed")


def test_what_is_still_refused_stays_open(door: Door) -> None:
    row = refused_as_unplanned(door)
    result = replay([row.id], NOW)
    assert (result.replayed, result.refusals[row.id].code) == (0, "unplanned_event")
    row.refresh_from_db()
    assert (row.status, row.settled_at) == ("open", None)
    assert (InboxItem.objects.count(), QuarantinedEvent.objects.count()) == (0, 1)


def test_a_body_that_never_was_json_stays_open(door: Door) -> None:
    door.post("/v1/batch", b"{")
    row = QuarantinedEvent.objects.get()
    assert replay([row.id], NOW).refusals[row.id].code == "invalid_json"


def test_an_inactive_source_gets_nothing_replayed(door: Door) -> None:
    row = refused_as_unplanned(door)
    Source.objects.update(is_active=False)
    assert replay([row.id], NOW).refusals[row.id].code == "source_inactive"
