"""People as the identity graph shows them; all of it follows from events, so it is read and not written."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from customers.admin.base import SHOWN, Facts, hexadecimal, link, page_link, table
from customers.admin.show import flag, state, when
from customers.models import (
    Address,
    AddressProfile,
    Customer,
    Edge,
    ErasedSubject,
    Identifier,
    Profile,
    ProfileBrand,
    ProfileMove,
    Trait,
)
from customers.visibility import beside

_PROFILE = link("profile_id", "customers_profile", _("profile"))


@admin.register(Customer)
class CustomerAdmin(Facts):
    list_display = ("who", "reached_at", "id", when("created_at", _("known since")), "zone", "locale")
    when_empty = _("Nobody is known yet. People come with their first event.")
    search_fields = (
        "id",
        "profiles__id",
        "profiles__identifier__value",
        "profiles__addresses__address__value",
    )
    search_help_text = _("A whole identifier, an address, or the id of a customer or profile.")
    readonly_fields = ("known_by",)

    @admin.display(description=_("name"))
    def who(self, customer: Customer) -> str:
        """As the row shows it: masked where personal data is."""
        traits = customer.traits
        parts = (traits.get("first_name"), traits.get("last_name"))
        named = traits.get("name") or " ".join(part for part in parts if isinstance(part, str))
        return named if isinstance(named, str) and named.strip() else gettext("no name known")

    @admin.display(description=_("e-mail or phone"))
    def reached_at(self, customer: Customer) -> str:
        found = (customer.traits.get(name) for name in ("email", "phone"))
        return next((value for value in found if isinstance(value, str) and value), "")

    @admin.display(description=_("known by"))
    def known_by(self, customer: Customer) -> SafeString | str:
        known = beside(customer, Identifier).filter(profile__customer=customer).select_related("kind").order_by("id")
        return table(
            (_("profile"), _("kind"), _("as given"), _("opened at"), _("closed at")),
            (
                (page_link("customers_profile", one.profile_id), one.kind, one.original, one.opened_at, one.closed_at)
                for one in known[:SHOWN]
            ),
        )


@admin.register(Profile)
class ProfileAdmin(Facts):
    list_display = (
        "id",
        link("customer_id", "customers_customer", _("customer")),
        when("customer_since", _("with this customer since")),
        when("created_at", _("known since")),
    )
    search_fields = ("id", "customer__id", "identifier__value", "addresses__address__value")
    readonly_fields = ("identified_by", "held_together_by", "seen_at", "seen_in", "traits_over_time")

    @admin.display(description=_("identifier"))
    def identified_by(self, profile: Profile) -> SafeString | str:
        rows = beside(profile, Identifier).filter(profile=profile).select_related("kind")
        return table(
            (_("kind"), _("value"), _("as given"), _("opened at"), _("closed at")),
            ((one.kind, one.value, one.original, one.opened_at, one.closed_at) for one in rows[:SHOWN]),
        )

    @admin.display(description=_("edges"))
    def held_together_by(self, profile: Profile) -> SafeString | str:
        edges = beside(profile, Edge)
        to_higher = [(edge, edge.high_id) for edge in edges.filter(low=profile)[:SHOWN]]
        to_lower = [(edge, edge.low_id) for edge in edges.filter(high=profile)[:SHOWN]]
        return table(
            (_("profile"), _("kind"), _("assurance"), _("occurred at"), _("skipped")),
            (
                (
                    page_link("customers_profile", other),
                    edge.get_kind_display(),
                    edge.get_assurance_display(),
                    edge.occurred_at,
                    edge.skipped,
                )
                for edge, other in to_higher + to_lower
            ),
        )

    @admin.display(description=_("addresses"))
    def seen_at(self, profile: Profile) -> SafeString | str:
        rows = beside(profile, AddressProfile).filter(profile=profile).select_related("address")
        return table(
            (_("address"), _("first seen at"), _("last seen at"), _("verified at")),
            ((one.address.value, one.first_seen_at, one.last_seen_at, one.verified_at) for one in rows[:SHOWN]),
        )

    @admin.display(description=_("brands"))
    def seen_in(self, profile: Profile) -> SafeString | str:
        rows = beside(profile, ProfileBrand).filter(profile=profile).select_related("brand")
        return table((_("brand"), _("first seen at")), ((one.brand, one.first_seen_at) for one in rows[:SHOWN]))

    @admin.display(description=_("traits"))
    def traits_over_time(self, profile: Profile) -> SafeString | str:
        rows = beside(profile, Trait).filter(profile=profile).order_by("name", "-valid_from", "-event_id")
        return table(
            (_("name"), _("value"), _("valid from"), _("recorded at")),
            ((one.name, one.value, one.valid_from, one.recorded_at) for one in rows[:SHOWN]),
        )


@admin.register(Identifier)
class IdentifierAdmin(Facts):
    list_display = (
        "value",
        "kind",
        _PROFILE,
        when("opened_at", _("opened")),
        flag("closed_at", (_("closed"), ""), (pgettext_lazy("identifier", "open"), "good")),
    )
    list_filter = ("kind",)
    list_select_related = ("kind",)
    search_fields = ("value", "profile__id")


@admin.register(Edge)
class EdgeAdmin(Facts):
    list_display = (
        "id",
        link("low_id", "customers_profile", _("profile")),
        link("high_id", "customers_profile", _("other profile")),
        "kind",
        "assurance",
        when("occurred_at", _("occurred")),
        flag("skipped", (_("skipped"), "warn"), (_("followed"), "good")),
    )
    list_filter = ("skipped", "kind", "assurance")
    search_fields = ("low__id", "high__id")


@admin.register(ProfileMove)
class ProfileMoveAdmin(Facts):
    list_display = (
        "id",
        _PROFILE,
        link("from_customer_id", "customers_customer", _("from customer")),
        link("to_customer_id", "customers_customer", _("to customer")),
        when("at", _("at")),
    )
    search_fields = ("profile__id", "from_customer_id", "to_customer_id")
    when_empty = _("Nobody was found to be somebody else yet: merges and what undoes them are listed here.")


@admin.register(Address)
class AddressAdmin(Facts):
    list_display = ("value", state("channel", {}, _("channel")), when("created_at", _("known since")))
    list_filter = ("channel",)
    search_fields = ("value", "id")
    readonly_fields = ("used_by",)

    @admin.display(description=_("profiles"))
    def used_by(self, address: Address) -> SafeString | str:
        rows = beside(address, AddressProfile).filter(address=address)[:SHOWN]
        return table(
            (_("profile"), _("first seen at"), _("last seen at"), _("verified at")),
            (
                (page_link("customers_profile", one.profile_id), one.first_seen_at, one.last_seen_at, one.verified_at)
                for one in rows
            ),
        )


@admin.register(Trait)
class TraitAdmin(Facts):
    list_display = (
        "name",
        _PROFILE,
        when("valid_from", _("valid from")),
        when("recorded_at", _("recorded")),
        link("event_id", "customers_event", _("event")),
    )
    search_fields = ("profile__id",)


@admin.register(ErasedSubject)
class ErasedSubjectAdmin(Facts):
    """Only listed: a hash has no page of its own."""

    ordering = ("-erased_at",)
    list_display = (hexadecimal("digest", _("keyed hash")), when("erased_at", _("erased")), "dropped")
    list_display_links = None

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_view_permission(request)
