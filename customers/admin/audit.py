"""The audit trail: who did what, when, and what it was before."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateFilter

from customers import audit
from customers.admin.base import Facts, hexadecimal
from customers.difference import differences
from customers.models import AuditEntry
from customers.people import colleagues

# Of a change of many fields, the list names so many.
_NAMED = 4
# Entries whose days are verified at once.
_CHOSEN = 1_000


class ActorFilter(admin.SimpleListFilter):
    title = _("who")
    parameter_name = "actor"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        people = colleagues(get_user_model()._default_manager.filter(is_staff=True), request.user)
        return [(str(person.pk), person.get_username()) for person in people.order_by("username")[:200]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        chosen = self.value()
        return queryset.filter(actor_id=int(chosen)) if chosen and chosen.isdecimal() and len(chosen) < 10 else queryset


class ActionFilter(admin.SimpleListFilter):
    """The usual ones; any other is found by search."""

    title = _("action")
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(audit.WORDS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset.filter(action=self.value()) if self.value() else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(Facts):
    list_display = ("at", "who", "did", "what", "which_changes", "brand")
    list_filter = (ActionFilter, ActorFilter, ("day", RangeDateFilter), "brand")
    list_filter_submit = True
    list_select_related = ("actor", "brand")
    search_fields = ("object_id", "object_type", "action")
    search_help_text = _("A whole id, a kind of object such as journeys.journey, or an action.")
    fields = ("at", "who", "did", "what", "brand", "shown_changes", "position", "previous_hash", "own_hash")
    readonly_fields = fields
    actions = ("verify",)
    previous_hash = staticmethod(hexadecimal("previous", _("previous hash")))
    own_hash = staticmethod(hexadecimal("digest", _("hash")))

    @admin.display(description=_("who"))
    def who(self, entry: AuditEntry) -> str:
        return entry.actor.get_username() if entry.actor_id and entry.actor else gettext("nobody known")

    @admin.display(description=_("action"))
    def did(self, entry: AuditEntry) -> Any:
        return audit.words(entry.action)

    @admin.display(description=_("object"))
    def what(self, entry: AuditEntry) -> SafeString | str:
        name = f"{entry.object_type} {entry.object_id}".strip()
        if not entry.object_id:
            return name
        try:
            address = reverse(f"admin:{entry.object_type.replace('.', '_')}_change", args=[entry.object_id])
        except NoReverseMatch:
            return name
        return format_html('<a href="{}">{}</a>', address, name)

    @admin.display(description=_("changes"))
    def which_changes(self, entry: AuditEntry) -> str:
        places = [change.place for change in differences(entry.before, entry.after)]
        named = Truncator(", ".join(places[:_NAMED])).chars(80)
        return f"{named} + {len(places) - _NAMED}" if len(places) > _NAMED else named

    @admin.display(description=_("changes"))
    def shown_changes(self, entry: AuditEntry) -> str:
        return render_to_string("admin/customers/difference.html", {"changes": differences(entry.before, entry.after)})

    @admin.action(description=_("Verify the days of these entries"), permissions=["view"])
    def verify(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> None:
        sound = 0
        for day in sorted(set(queryset.order_by().values_list("day", flat=True)[:_CHOSEN])):
            broken = audit.verify(day)
            if broken is None:
                sound += 1
                continue
            text = gettext("%(day)s: entry %(position)s is not what was written.")
            self.message_user(request, text % {"day": day, "position": broken}, messages.ERROR)
        text = ngettext("%(count)s day is sound.", "%(count)s days are sound.", sound)
        self.message_user(request, text % {"count": sound})
