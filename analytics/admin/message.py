"""The message's page: the why first, then the words."""

from typing import Any

from django.db.models import Count, Min, Q
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from analytics.admin.shown import Links, see_as, shown_parts
from analytics.why import Explanation, explain_message, explain_refusal
from channels.models import Message, MessageContent, Receipt
from channels.models.callback import ENGAGED
from customers.admin.presented import drawn, present
from customers.models import Profile
from journeys.models import EntryRefusal, Journey, Run

_TONES = {
    "sent": "good", "delivered": "good", "opened": "good", "clicked": "good",
    "failed": "bad", "unknown": "bad",
    "suppressed": "warn", "cancelled": "warn", "expired": "warn", "held": "warn",
}  # fmt: skip


def page(admin: Any, request: HttpRequest, message: Message) -> HttpResponse:
    loaded = Message.objects.select_related(
        "brand", "connector", "template_version__template", "purpose", "address"
    ).get(pk=message.pk)
    explained = explain_message(loaded)
    links = Links(request)
    content = see_as(request)(MessageContent).filter(pk=loaded.pk).first()
    title = _("%(template)s by %(channel)s")
    values = {"template": loaded.template_version.template.name, "channel": loaded.get_channel_display()}
    return drawn(
        admin, request, message, "admin/analytics/message.html", title % values,
        message=loaded,
        explained=explained,
        tone=_TONES.get(loaded.state, "info"),
        parts=shown_parts(explained, loaded.brand_id, request),
        content=content,
        responses=_responses(loaded, content),
        customer=_customer(loaded, links),
        run=_run(loaded, links),
        broadcast=_linked(explained, "broadcast", links),
        campaign=_linked(explained, "campaign", links),
    )  # fmt: skip


def refusal_page(admin: Any, request: HttpRequest, refusal: EntryRefusal) -> HttpResponse:
    explained = explain_refusal(refusal)
    journey = Journey.objects.get(pk=refusal.journey_id)
    return drawn(
        admin, request, refusal, "admin/analytics/refusal.html",
        _("Not let into %(journey)s") % {"journey": journey.name},
        refusal=refusal,
        explained=explained,
        tone="warn",
        parts=shown_parts(explained, journey.brand_id, request),
    )  # fmt: skip


def _responses(message: Message, content: MessageContent | None) -> list[dict[str, Any]]:
    """Its tracked links, and its opening where that was seen: how often by people and by machines, and when first."""
    seen = (
        Receipt.objects.filter(message=message, happened__in=ENGAGED)
        .values("happened", "link")
        .annotate(
            people=Count("pk", filter=Q(is_machine=False)),
            machines=Count("pk", filter=Q(is_machine=True)),
            first=Min("at", filter=Q(is_machine=False)),
        )
    )
    by_link = {(one["happened"], one["link"]): one for one in seen}
    known = content.links if content is not None else []
    places = [
        (Receipt.Happened.OPENED, None, _("opened")),
        (Receipt.Happened.CLICKED, None, _("a link, told by the provider")),
    ]
    shown = [by_link[happened, link] | {"what": what} for happened, link, what in places if (happened, link) in by_link]
    nobody = {"people": 0, "machines": 0, "first": None}
    for number, url in enumerate(known):
        shown.append(by_link.get((Receipt.Happened.CLICKED.value, number), nobody) | {"what": url})
    return shown


def _customer(message: Message, links: Links) -> str:
    """Empty where the person was erased: the message stays behind."""
    home = Profile.objects.filter(pk=message.profile_id).values_list("customer_id", flat=True).first()
    return links.to(("customers_customer", home)) if home else ""


def _run(message: Message, links: Links) -> str:
    if message.origin_kind != Message.Origin.RUN or not message.origin_id.isdigit():
        return ""
    exists = Run.objects.filter(pk=int(message.origin_id)).exists()
    return links.to(("journeys_run", int(message.origin_id))) if exists else ""


def _linked(explained: Explanation, key: str, links: Links) -> str:
    """The page of what a fact of this key names; empty where none does."""
    facts = (fact for part in explained.parts for fact in part.facts if fact.key == key)
    return next((links.to(fact.link) for fact in facts), "")


present(Message, page)
present(EntryRefusal, refusal_page)
