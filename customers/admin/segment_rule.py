"""The page on which a segment's rule is written: every button is a submit, so that it works without scripts."""

import json
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Final

import msgspec
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers import audit, clock
from customers.admin.presented import drawn
from customers.authoring import edits, offers, scalars
from customers.authoring.controls import Control, inner_id, place, suggestions
from customers.authoring.describe import struct_fields
from customers.authoring.make import Maker
from customers.authoring.posted import TooLarge, tree
from customers.authoring.read import Reader
from customers.authoring.words import rule_words
from customers.hints import form
from customers.models import Segment
from customers.rules import PEOPLE, Problem, RuleError
from customers.segments import define
from customers.segments.preview import Preview, preview
from customers.visibility import sees_pii

# What the page's script asks for: the form's inside, or what is said beside it.
PART_HEADER: Final = "X-Trilha-Part"
_RULE: Final = "/rule"
_MOST_CHARACTERS: Final = 200_000


class _Document(msgspec.Struct):
    rule: Annotated[Any, form(_("rule"), kind="rule")]


@dataclass(slots=True)
class Draft:
    """A rule as it stands in the form. `lock` is the version of the segment's rule that it was begun upon."""

    segment: Segment
    document: dict[str, Any]
    lock: int
    may_write: bool
    unread: list[Problem] = field(default_factory=list)
    # Problems are shown once somebody asked for them.
    is_checked: bool = False
    removal: edits.Removal | None = None
    focus: str = ""
    said: str = ""
    refused: str = ""

    @property
    def rule(self) -> Any:
        return self.document.get("rule")

    def problems(self) -> list[Problem]:
        """All that is wrong with it, at the places of the form."""
        try:
            define.read_rule(self.rule, self.segment.brand_id, self.segment.pk)
        except RuleError as error:
            found = [_for_the_form(problem, self.document) for problem in error.problems]
        else:
            found = []
        places = {problem.pointer for problem in self.unread}
        return self.unread + [problem for problem in found if problem.pointer not in places]


def _for_the_form(problem: Problem, document: dict[str, Any]) -> Problem:
    """What is not filled in yet is told so, not how JSON would have it."""
    told = replace(problem, pointer=_RULE + problem.pointer)
    if problem.code == "missing_field":
        return replace(told, message=_("This is missing."), hint=_("Fill it in."))
    try:
        is_blank = edits.part_at(document, told.pointer) is None
    except edits.CannotEdit:
        is_blank = told.pointer == _RULE
    if is_blank:
        return replace(told, code="missing_condition", message=_("Choose a condition."), hint="")
    return told


def page(admin: Any, request: HttpRequest, segment: Segment) -> HttpResponse:
    if segment.is_static:
        raise Http404
    may_write = admin.has_change_permission(request, segment) and segment.state != Segment.State.ARCHIVED
    if request.method != "POST":
        document = {} if segment.rule is None else {"rule": segment.rule}
        return _shown(admin, request, Draft(segment, document, segment.rule_version, may_write))
    if not may_write:
        raise PermissionDenied
    try:
        draft = _read(request, segment)
    except TooLarge:
        return _too_large(admin, request, segment)
    order = request.POST.get("do", "refresh")
    if request.headers.get(PART_HEADER) == "preview":
        return _previewed(request, draft)
    if order == "publish":
        return _publish(admin, request, draft)
    if order == "json":
        _take_json(draft, request.POST.get("json", ""))
    elif order == "check":
        draft.is_checked = True
        draft.said = "" if draft.problems() else gettext("Nothing is wrong with this rule.")
    elif order != "count":
        _edit(request, draft, order)
    return _shown(admin, request, draft, counts=order == "count")


def _read(request: HttpRequest, segment: Segment) -> Draft:
    reader = Reader()
    document = reader.fields(struct_fields(_Document), tree(request.POST.lists()), "")
    lock = request.POST.get("lock", "")
    number = int(lock) if lock.isascii() and lock.isdecimal() and len(lock) < 10 else 0
    return Draft(segment, document, number, True, reader.problems, is_checked=bool(reader.problems))


def _edit(request: HttpRequest, draft: Draft, order: str) -> None:
    """Do what a button of the form asks for; nothing is stored."""
    kept = edits.kept(scalars.read_json(request.POST.get("~undo", "")), edits.Removal)
    try:
        if order == "undo" and kept is not None:
            edited = edits.put_back(draft.document, kept)
        else:
            edited = edits.apply(draft.document, order)
    except edits.CannotEdit:
        edited = edits.Edited(said=gettext("That part is no longer there."))
    draft.focus, draft.said = edited.focus, edited.said
    draft.removal = edited.removal or (None if order == "undo" else kept)


def _take_json(draft: Draft, text: str) -> None:
    """The rule as somebody wrote or pasted it; into the form first, where it can be looked at."""
    value = scalars.read_json(text) if len(text) <= _MOST_CHARACTERS else scalars.UNREADABLE
    if value is scalars.UNREADABLE:
        draft.refused = gettext("This is no JSON.")
        return
    draft.document, draft.unread = ({} if value is None else {"rule": value}), []
    draft.is_checked, draft.said = True, gettext("The rule is in the form now. Look it over, then publish it.")


def _publish(admin: Any, request: HttpRequest, draft: Draft) -> HttpResponse:
    segment = draft.segment
    draft.is_checked = True
    if draft.problems():
        return _shown(admin, request, draft, status=422)
    before = segment.rule
    try:
        with transaction.atomic():
            define.set_rule(segment, draft.rule, clock.utcnow(), request.user, instead_of=draft.lock)
            told = ({"rule": before}, {"rule": segment.rule})
            audit.record(request.user, "change", segment, *told, now=clock.utcnow())
    except define.Stale:
        return _overtaken(admin, request, draft, Segment.objects.get(pk=segment.pk))
    except define.Archived:
        raise PermissionDenied from None
    except RuleError:
        # What was right a moment ago: a segment it names was archived, or leads back to this one by now.
        return _shown(admin, request, draft, status=422)
    messages.success(request, gettext("The rule was published. Everybody is asked now, and nothing is started by it."))
    return HttpResponseRedirect(reverse("admin:customers_segment_change", args=[segment.pk]))


def _overtaken(admin: Any, request: HttpRequest, draft: Draft, held: Segment) -> HttpResponse:
    """Somebody else published meanwhile; whoever publishes again does so knowing it."""
    last = held.versions.select_related("made_by").first()
    name = str(last.made_by) if last and last.made_by else gettext("Somebody")
    told = gettext("%(who)s published another rule meanwhile: %(rule)s. Publish again to put yours in its place.")
    draft.refused = told % {"who": name, "rule": rule_words(held.rule)}
    draft.lock = held.rule_version
    return _shown(admin, request, draft, status=409)


def _previewed(request: HttpRequest, draft: Draft) -> HttpResponse:
    seen = _preview(draft, request.user)
    status = 422 if seen.problems else 200
    return TemplateResponse(request, "admin/customers/segment_preview.html", {"seen": seen}, status=status)


def _preview(draft: Draft, user: Any, *, counts: bool = True) -> Preview:
    problems, brand_id = draft.problems(), draft.segment.brand_id
    counts, reads = counts and not problems, sees_pii(user, brand_id)
    seen = preview(draft.rule, brand_id, clock.utcnow(), counts=counts, reads_personal=reads)
    seen.problems = problems
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            seen.words.append((code, rule_words(draft.rule)))
    # One's own language first.
    seen.words.sort(key=lambda one: one[0] != translation.get_language())
    return seen


def _shown(admin: Any, request: HttpRequest, draft: Draft, status: int = 200, *, counts: bool = False) -> HttpResponse:
    maker = Maker(offers.of_rules(draft.segment.brand_id, request.user), PEOPLE)
    top: list[Control] = [maker.control(one, draft.document, "", "") for one in struct_fields(_Document)]
    # They stand beside the form.
    top[0].extra["words"] = ""
    context = {
        "draft": draft,
        "segment": draft.segment,
        "fields": top,
        "placed": place(top, draft.problems()) if draft.is_checked else [],
        "focus_id": inner_id(top, draft.focus),
        "suggestions": suggestions(top),
        "is_dirty": draft.rule != draft.segment.rule,
        "undo": json.dumps(draft.removal.as_json()) if draft.removal else "",
        "json": scalars.show_json(draft.rule) if draft.rule is not None else "",
    }
    if request.headers.get(PART_HEADER):
        return TemplateResponse(request, "admin/customers/segment_rule_body.html", context, status=status)
    context["seen"] = _preview(draft, request.user, counts=counts)
    answer = drawn(admin, request, draft.segment, "admin/customers/segment_rule.html", _("Rule"), **context)
    answer.status_code = status
    return answer


def _too_large(admin: Any, request: HttpRequest, segment: Segment) -> HttpResponse:
    document = {} if segment.rule is None else {"rule": segment.rule}
    draft = Draft(segment, document, segment.rule_version, True)
    draft.refused = gettext("Nothing was changed: no rule may be that large. This is the rule as it holds.")
    return _shown(admin, request, draft, status=422)
