"""The page of a template version on which it is looked at as somebody would see it, checked, and sent as a test."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from channels import checks, sandbox
from channels.admin.preview_form import Looked, PreviewForm
from channels.checks.segments import segments_of
from channels.models import Connector, SeedList, TemplateVersion, TestSend
from channels.previews import Ask, Shown, show
from channels.previews.make import texts_of
from channels.test_sends.ask import CHANNELS, NotSent, To, ask, seeds_of
from customers import audit, clock
from customers.admin.presented import ExtraPage, add_page, drawn
from customers.ids import new_id
from customers.models.address import Channel
from customers.visibility import may_change

TITLE: Final = gettext_lazy("Preview, checks and tests")
_TEMPLATE: Final = "admin/channels/preview.html"
_CONTROLS: Final = ("person", "locale", "at", "purpose", "event", "variables")
_TONES: Final[Mapping[str, str]] = {"fault": "bad", "warning": "warn", "note": "info"}
_SHOWN: Final = 20


def page(admin: Any, request: HttpRequest, version: TemplateVersion) -> HttpResponse:
    """Of words that are saved. A test is asked for by POST."""
    template = version.template
    looked = Looked(template.channel, template.brand, texts_of(version.pk), list(version.sources.order_by("name")))
    # Whom it is about stands in no address, where logs would keep it.
    given = request.POST
    form = PreviewForm(request.user, looked, given if any(name in given for name in _CONTROLS) else None)
    asked = form.ask()
    if request.POST.get("do") == "test":
        _test(request, version, form, asked)
    answer = drawn(
        admin, request, version, _TEMPLATE, TITLE,
        **looked_at(form, asked),
        test=_tests(request, version),
        words=[],
    )  # fmt: skip
    return with_pictures(answer)


def draft(admin: Any, request: HttpRequest, looked: Looked) -> HttpResponse:
    """Of words as they stand in a form, saved nowhere."""
    controls = {name: request.POST[name] for name in _CONTROLS if name in request.POST}
    form = PreviewForm(request.user, looked, controls or None)
    words = [(name, value) for name, value in request.POST.items() if name not in (*_CONTROLS, "csrfmiddlewaretoken")]
    frame = admin.admin_site.each_context(request) | {
        "opts": admin.opts,
        "title": _("Preview of a draft"),
        "has_view_permission": True,
        "words": words,
    }
    request.current_app = admin.admin_site.name
    answer = TemplateResponse(request, _TEMPLATE, frame | looked_at(form, form.ask()))
    return with_pictures(answer)


def with_pictures(answer: HttpResponse) -> HttpResponse:
    """A mail's pictures are wherever its author keeps them."""
    answer.shows_pictures = True  # type: ignore[attr-defined]  # read by config.headers
    return answer


def looked_at(form: PreviewForm, asked: Ask) -> dict[str, Any]:
    channel, brand = form.looked.channel, form.looked.brand
    shown = Shown() if form.is_bound and not form.is_valid() else show(asked)
    rendered = shown.rendered
    found = checks.findings(checks.Template(channel, brand, form.looked.texts))
    return {
        "form": form,
        "shown": shown,
        "rendered": rendered,
        "channel": channel,
        "channel_name": Channel(channel).label,
        "brand": brand,
        "is_masked": asked.somebody.is_masked,
        "findings": [(one, _TONES[one.level]) for one in found],
        "is_mail": channel == Channel.EMAIL,
        "is_push": channel == Channel.PUSH,
        "chat": sandbox.as_chat(rendered.text) if rendered is not None else "",
        "segments": segments_of(rendered.text) if rendered is not None and channel == Channel.SMS else None,
        "size": len(rendered.html.encode()) / 1024 if rendered is not None else 0,
    }


def _tests(request: HttpRequest, version: TemplateVersion) -> dict[str, Any] | None:
    """What the part about tests shows; None for who may send none, or of a channel that has none."""
    template = version.template
    if template.channel not in CHANNELS or not _may_test(request, version):
        return None
    connectors = Connector.objects.visible_to(request.user).filter(
        brand=template.brand_id, channel=template.channel, is_active=True
    )
    lists = SeedList.objects.visible_to(request.user).filter(brand=template.brand_id, seeds__channel=template.channel)
    mine = request.user.email if template.channel == Channel.EMAIL else ""  # type: ignore[union-attr]  # staff
    return {
        "connectors": list(connectors.order_by("name")),
        "lists": list(lists.distinct().order_by("name")),
        "mine": mine,
        # Asked twice by one page, it goes once.
        "key": new_id(),
        "sent": list(TestSend.objects.shown_to(request.user).filter(version=version)[:_SHOWN]),
    }


def _may_test(request: HttpRequest, version: TemplateVersion) -> bool:
    return request.user.has_perm("channels.add_testsend") and may_change(request.user, version.template)


def _test(request: HttpRequest, version: TemplateVersion, form: PreviewForm, asked: Ask) -> None:
    if not _may_test(request, version):
        raise PermissionDenied
    if form.is_bound and not form.is_valid():
        messages.error(request, _("No test was sent: what it is made of is not in order."))
        return
    connector = _chosen(request, version)
    if connector is None:
        messages.error(request, _("Choose a connector to send it by."))
        return
    try:
        to = _to(request, version)
        count = ask(request.user, version, connector, to, asked, clock.utcnow(), _uuid(request.POST.get("key", "")))
    except NotSent as error:
        messages.error(request, str(error))
        return
    audit.record(request.user, "test_sent", version, {}, {"tests": [0, count]}, now=clock.utcnow())
    said = ngettext("%(count)s test is on its way.", "%(count)s tests are on their way.", count)
    messages.success(request, said % {"count": count})


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _chosen(request: HttpRequest, version: TemplateVersion) -> Connector | None:
    key = _uuid(request.POST.get("connector", ""))
    if key is None:
        return None
    mine = Connector.objects.visible_to(request.user).filter(brand=version.template.brand_id)
    return mine.filter(pk=key).first()


def _to(request: HttpRequest, version: TemplateVersion) -> list[To]:
    channel = version.template.channel
    lists = [key for given in request.POST.getlist("lists") if (key := _uuid(given)) is not None]
    to = seeds_of(request.user, lists, channel, version.template.brand_id)
    mine = request.user.email if channel == Channel.EMAIL else ""  # type: ignore[union-attr]  # staff
    return [To(mine, is_self=True), *to] if request.POST.get("myself") and mine else to


add_page(TemplateVersion, ExtraPage("preview", TITLE, page))
