"""The delivery log as a file: the messages of a list as it is narrowed, masked as they are in the list."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.formats import number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from channels.models import Message
from channels.scopes import names_of
from customers import audit, clock
from customers.csv_file import csv_file

_AT_ONCE: Final = 1_000
# A file that somebody opens; it keeps one web worker busy for less than a minute.
MOST: Final = 100_000
_HEADINGS: Final = (
    _("id"), _("asked for at"), _("sent or settled at"), _("channel"), _("state"), _("reason"), _("detail"),
    _("asked for by"), _("step"), _("template"), _("version"), _("language"), _("purpose"), _("brand"), _("connector"),
    _("to"), _("profile"), _("provider's id"), _("attempts"),
)  # fmt: skip
_WITH: Final = ("template_version__template", "address", "brand", "connector", "purpose")


class Exported:
    """For the admin of messages: `export/` beside the list takes the same filters, search and order."""

    list_before_template = "admin/channels/export_link.html"

    @property
    def most_exported(self) -> int:
        return MOST

    def get_urls(self) -> list[URLPattern]:
        pages: Any = self
        view = pages.admin_site.admin_view(require_GET(self.export))
        return [path("export/", view, name="channels_message_export"), *super().get_urls()]  # type: ignore[misc]

    def export(self, request: HttpRequest) -> HttpResponseBase:
        pages: Any = self
        if not pages.has_view_permission(request):
            raise PermissionDenied
        try:
            rows = pages.get_changelist_instance(request).queryset.select_related(*_WITH)
        except IncorrectLookupParameters:
            # As the list itself answers it.
            return redirect("admin:channels_message_changelist")
        now = clock.utcnow()
        with transaction.atomic():
            narrowed = {name: request.GET.getlist(name) for name in request.GET if name != "q"}
            audit.record(request.user, "export", Message, None, {"filters": narrowed}, now=now)
        more = gettext("There are more: a file holds %(most)s messages. Narrow the list for the others.")
        lines = _lines(rows, MOST, more % {"most": number_format(MOST)})
        answer = StreamingHttpResponse(csv_file([str(one) for one in _HEADINGS], lines))
        answer["Content-Type"] = "text/csv; charset=utf-8"
        answer["Content-Disposition"] = f'attachment; filename="messages-{now:%Y-%m-%d}.csv"'
        return answer


def _lines(rows: Any, most: int, there_are_more: str) -> Iterator[Sequence[object]]:
    """The first of the list, as it is ordered; where there are more, the last line says so."""
    held: list[Message] = []
    for number, message in enumerate(rows[: most + 1].iterator(chunk_size=_AT_ONCE)):
        if number == most:
            yield from _told(held)
            yield (there_are_more,)
            return
        held.append(message)
        if len(held) == _AT_ONCE:
            yield from _told(held)
            held = []
    yield from _told(held)


def _told(messages: Sequence[Message]) -> Iterator[Sequence[object]]:
    """A line for each, knowing by one question for all what asked for them."""
    names = names_of({message.scope_id for message in messages})
    for one in messages:
        yield (
            str(one.pk), _at(one.created_at), _at(one.settled_at), one.get_channel_display(), one.get_state_display(),
            one.get_reason_display(), one.detail, names.get(one.scope_id, one.get_origin_kind_display()), one.step_id,
            one.template_version.template.key, one.template_version.number, one.locale, one.purpose.key, one.brand.key,
            one.connector.key, one.address.value if one.address else "", str(one.profile_id), one.provider_id,
            one.attempts,
        )  # fmt: skip


def _at(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""
