"""Stores of who somebody is: identifiers, traits, addresses, evidence, events and what segments say of them."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from customers.models import (
    Address,
    AddressProfile,
    Customer,
    DuplicatePair,
    Edge,
    Event,
    EventPayload,
    Identifier,
    Profile,
    ProfileBrand,
    ProfileMove,
    ProfileSource,
    Segment,
    SegmentItem,
    SegmentMembership,
    SegmentTurn,
    Trait,
)
from customers.privacy.phrases import namespace_of
from customers.privacy.stores import KEEP, Basis, Rank, Spoken, Store, Table

_OWN: Final = "t.profile_id = ANY(%(profiles)s)"
_PAIR: Final = "(t.low_id = ANY(%(profiles)s) OR t.high_id = ANY(%(profiles)s))"
_EVENT_OF: Final = "SELECT e.id FROM customers_event e WHERE e.profile_id = ANY(%(profiles)s)"
_SOURCE: Final = "(SELECT s.name FROM customers_source s WHERE s.id = t.source_id)"
_BRAND: Final = "(SELECT b.name FROM customers_brand b WHERE b.id = t.brand_id)"
_OF_EVENT: Final = """
    (SELECT s.namespace FROM customers_event e JOIN customers_source s ON s.id = e.source_id
     WHERE e.id = t.event_id AND e.received_at = t.received_at)
"""
_FIRST: Final = "(SELECT p.id FROM customers_profile p WHERE p.customer_id = t.id ORDER BY p.id LIMIT 1)"
# What takes the place of an address: nobody is reached by it, and no two of them are the same.
_GONE: Final = "'erased:' || t.id"

STORES: Final = (
    Store(
        "events",
        _("events"),
        _("What somebody did, so that journeys, segments and reports know of it."),
        Basis.INTEREST,
        Rank.FACTS,
        (
            Table(EventPayload, f"t.event_id IN ({_EVENT_OF})"),
            Table(
                Event,
                _OWN,
                {
                    "name": "t.name",
                    "kind": "t.kind",
                    "occurred_at": "t.occurred_at",
                    "received_at": "t.received_at",
                    "source": _SOURCE,
                    "brand": _BRAND,
                    "content": "(SELECT p.payload FROM customers_eventpayload p WHERE p.event_id = t.id"
                    " AND p.received_at = t.received_at)",
                },
                KEEP,
            ),
        ),
        kept="event_payloads",
        note=_("That an event of this name came stays, without what it told and without anybody's name."),
        spoken=(Spoken(EventPayload, ("payload",), _OF_EVENT),),
    ),
    Store(
        "traits",
        _("traits"),
        _("What somebody is like, to speak to them fittingly."),
        Basis.INTEREST,
        Rank.FACTS,
        (
            Table(
                Trait,
                _OWN,
                {
                    "name": "t.name",
                    "value": "t.value",
                    "valid_from": "t.valid_from",
                    "recorded_at": "t.recorded_at",
                    "source": _SOURCE,
                },
            ),
        ),
        kept="trait_history",
        spoken=(Spoken(Trait, ("value",), "(SELECT s.namespace FROM customers_source s WHERE s.id = t.source_id)"),),
    ),
    Store(
        "segments",
        _("segments"),
        _("Who belongs together, to choose whom to write to."),
        Basis.INTEREST,
        Rank.FACTS,
        (
            Table(
                SegmentMembership,
                "t.customer_id = ANY(%(customers)s) OR " + _OWN,
                {
                    "segment": "(SELECT s.name FROM customers_segment s WHERE s.id = t.segment_id)",
                    "entered_at": "t.entered_at",
                    "left_at": "t.left_at",
                },
            ),
            Table(SegmentItem, _OWN),
            Table(SegmentTurn, _OWN),
        ),
        kept_words=_("as long as the person is known"),
        spoken=(Spoken(Segment, ("rule",)),),
    ),
    Store(
        "evidence",
        _("evidence of who is who"),
        _("That several identifiers are one person, so that what they said under one counts under all."),
        Basis.INTEREST,
        Rank.IDENTITY,
        (
            Table(
                Edge,
                _PAIR,
                {"kind": "t.kind", "assurance": "t.assurance", "occurred_at": "t.occurred_at", "source": _SOURCE},
            ),
            Table(DuplicatePair, _PAIR),
            Table(ProfileMove, _OWN, {"at": "t.at", "was_since": "t.was_since"}),
        ),
        kept_words=_("as long as the person is known"),
    ),
    Store(
        "people",
        _("identifiers, profiles and addresses"),
        _("To know somebody again and to reach them."),
        Basis.INTEREST,
        Rank.IDENTITY,
        (
            Table(
                Identifier,
                _OWN,
                {
                    "kind": "t.kind_id",
                    "value": "t.value",
                    "original": "t.original",
                    "opened_at": "t.opened_at",
                    "closed_at": "t.closed_at",
                },
            ),
            Table(
                ProfileSource,
                _OWN,
                {"source": _SOURCE, "first_seen_at": "t.first_seen_at", "assurance": "t.assurance"},
            ),
            Table(ProfileBrand, _OWN, {"brand": _BRAND, "first_seen_at": "t.first_seen_at"}),
            Table(
                AddressProfile,
                _OWN,
                {
                    "channel": "(SELECT a.channel FROM customers_address a WHERE a.id = t.address_id)",
                    "address": "(SELECT a.value FROM customers_address a WHERE a.id = t.address_id)",
                    "first_seen_at": "t.first_seen_at",
                    "last_seen_at": "t.last_seen_at",
                    "verified_at": "t.verified_at",
                },
            ),
            Table(Address, "t.id = ANY(%(addresses)s)", {}, {"value": _GONE, "original": "''"}),
            Table(Profile, "t.id = ANY(%(profiles)s)"),
            Table(
                Customer,
                "t.id = ANY(%(customers)s)",
                {
                    "known_since": "t.created_at",
                    "traits": "t.traits",
                    "zone": "t.zone",
                    "locale": "t.locale",
                    "country": "t.country",
                },
            ),
        ),
        kept_words=_("as long as the person is known"),
        note=_("An address that others use as well stays with them. Of what is erased a keyed hash stays."),
        spoken=(
            Spoken(
                Customer,
                ("traits",),
                namespace_of(_FIRST),
            ),
        ),
    ),
)
