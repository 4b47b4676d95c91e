"""Webhooks: their signature and secrets, their mapping beside a sample, and the bodies that came."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from customers import audit, clock, kinds
from customers.accept.refusal import Refused
from customers.admin.base import Facts, Kept, table
from customers.admin.show import Tone, as_text, badge, document, flag, state, when
from customers.hooks import interpret, secrets
from customers.hooks.documents import JSON, read_document
from customers.hooks.preview import Preview, preview
from customers.hooks.signatures import key_bytes, new_secret
from customers.mapping import Problem, suggest
from customers.mapping.suggest import leaves
from customers.models import Hook, ReceivedBody

if TYPE_CHECKING:
    HookModelForm = forms.ModelForm[Hook]
else:
    HookModelForm = forms.ModelForm

_LATELY: Final = timedelta(days=7)
_MOST_CHARACTERS: Final = 1_000_000
_MOST_PATHS: Final = 100
_COUNTED: Final = ("bodies", "events", "known", "away")
_STATUS: Final[dict[str, Tone]] = {
    ReceivedBody.Status.WAITING: "info",
    ReceivedBody.Status.DONE: "good",
    ReceivedBody.Status.UNHANDLED: "warn",
    ReceivedBody.Status.FAILED: "bad",
}


class HookForm(HookModelForm):
    secret = forms.CharField(
        label=_("new secret"),
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=_("As the sender shows it. It is added: the last three hold. It is never shown again."),
    )

    def clean_secret(self) -> str:
        secret: str = self.cleaned_data["secret"].strip()
        try:
            if secret and len(key_bytes(secret)) < 8:
                raise ValidationError(_("A secret of fewer than eight bytes keeps nothing."), code="short")
        except ValueError:
            # Not only binascii.Error: letters beyond ASCII are a plain ValueError.
            raise ValidationError(_("After whsec_ stands Base64."), code="base64") from None
        return secret

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        scheme, header = self.cleaned_data.get("scheme"), self.cleaned_data.get("header")
        if scheme and scheme != Hook.Scheme.STANDARD and not header:
            self.add_error("header", ValidationError(_("Name the header that the signature is in."), code="required"))
        if not self.instance.secrets and scheme != Hook.Scheme.STANDARD and not self.cleaned_data.get("secret"):
            self.add_error("secret", ValidationError(_("Without a secret nothing can be verified."), code="required"))
        return cleaned


@admin.register(Hook)
class HookAdmin(Kept):
    form = HookForm
    change_form_template = "admin/customers/hook.html"
    list_display = (
        "name",
        "source",
        state("scheme", {}, _("signature")),
        flag("is_active", (pgettext_lazy("webhook", "active"), "good"), (pgettext_lazy("webhook", "off"), "")),
        "bad_signatures",
    )
    list_filter = ("is_active", "scheme", "source")
    list_select_related = ("source",)
    search_fields = ("name",)
    search_help_text = _("A part of the name.")
    # A hook is made by those who may change its source.
    parent = "source"
    autocomplete_fields = ("source",)
    actions = ("forget_older",)
    when_empty = _("A webhook is an address at which a system reports what happened there, in its own words.")
    readonly_fields = ("address", "lately", "bad_signatures", "bad_signature_at")
    fieldsets = (
        (None, {"fields": ("name", "source", "is_active", "address")}),
        (
            _("How its bodies are signed"),
            {"fields": ("scheme", "header", "algorithm", "encoding", "prefix", "secret")},
        ),
        (_("How it goes"), {"fields": ("lately", "bad_signatures", "bad_signature_at", "per_minute")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Hook | None = None) -> Any:
        """What there is to say of a hook that is not yet made is left out."""
        if obj is not None:
            return super().get_fieldsets(request, obj)
        made = ("address", "lately", "bad_signatures", "bad_signature_at")
        return tuple(
            (head, {"fields": tuple(name for name in options["fields"] if name not in made)})
            for head, options in self.fieldsets
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Hook | None = None) -> Any:
        # Ids of messages and the place of the secrets hang on the hook, and the hook on its source.
        return self.readonly_fields if obj is None else ("source", *self.readonly_fields)

    @admin.display(description=_("address"))
    def address(self, hook: Hook) -> SafeString:
        return format_html('<code class="t-mono">{}</code>', reverse("hook", args=[hook.pk]))

    @admin.display(description=_("the last seven days"))
    def lately(self, hook: Hook) -> SafeString | str:
        since = clock.utcnow() - _LATELY
        counted = (
            hook.bodies.filter(received_at__gte=since)
            .order_by()
            .values("status")
            .annotate(bodies=Count("pk"), events=Sum("accepted"), known=Sum("duplicates"), away=Sum("refused"))
        )
        names = dict(ReceivedBody.Status.choices)
        return table(
            (_("status"), _("bodies"), _("events accepted"), _("known already"), _("events refused")),
            [
                (
                    badge(names[row["status"]], _STATUS[row["status"]]),
                    row["bodies"],
                    row["events"],
                    row["known"],
                    row["away"],
                )
                for row in counted
            ],
        )

    def save_model(self, request: HttpRequest, obj: Hook, form: Any, change: bool) -> None:
        secret = form.cleaned_data.get("secret")
        if not secret and not obj.secrets:
            secret = new_secret()
            text = gettext("The secret is %(secret)s. Copy it now: it is shown this once.") % {"secret": secret}
            self.message_user(request, text, messages.WARNING)
        if secret:
            secrets.add(obj, secret)
        super().save_model(request, obj, form, change)

    def has_write_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("customers.change_hook"))

    @admin.action(description=_("Forget all secrets but the newest"), permissions=["write"])
    def forget_older(self, request: HttpRequest, queryset: QuerySet[Hook]) -> None:
        count = 0
        for hook in queryset:
            if forgotten := secrets.forget_older(hook):
                hook.save(update_fields=["secrets"])
                count += forgotten
        text = ngettext("%(count)s secret holds no longer.", "%(count)s secrets hold no longer.", count)
        self.message_user(request, text % {"count": count})

    def get_urls(self) -> Any:
        view = self.admin_site.admin_view(self.mapping_view)
        return [path("<uuid:pk>/mapping/", view, name="customers_hook_mapping"), *super().get_urls()]

    def mapping_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """The mapping beside a sample: shown, previewed as it stands in the form, or kept."""
        hook = self.get_object(request, str(pk))
        if hook is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, str(pk))  # type: ignore[no-any-return]  # Django's own
        if not self.has_view_permission(request, hook):
            raise PermissionDenied
        may_write = self.has_change_permission(request, hook)
        body = self._sample_body(request, hook)
        if request.method != "POST":
            sample = "" if body is None else as_text(bytes(body.body).decode(errors="replace"))
            return self._page(request, hook, (as_text(hook.mapping), sample, body), may_write)
        mapping = request.POST.get("mapping", "")[:_MOST_CHARACTERS].replace("\r\n", "\n")
        sample = request.POST.get("sample", "")[:_MOST_CHARACTERS].replace("\r\n", "\n")
        if "suggest" in request.POST:
            mapping = self._suggested(sample) or mapping
        elif "save" in request.POST:
            if not may_write:
                raise PermissionDenied
            seen = preview(hook, mapping, "", {}, clock.utcnow())
            if seen.mapping is not None:
                return self._save_mapping(request, hook, mapping)
        return self._page(request, hook, (mapping, sample, body), may_write)

    def _page(
        self, request: HttpRequest, hook: Hook, texts: tuple[str, str, ReceivedBody | None], may_write: bool
    ) -> HttpResponse:
        mapping, sample, body = texts
        seen = preview(hook, mapping, sample, {} if body is None else body.headers, clock.utcnow())
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Mapping of %(hook)s") % {"hook": hook.name},
            "hook": hook,
            "mapping": mapping,
            "sample": sample,
            "body": body,
            "may_write": may_write,
            "seen": seen,
            "faults": _faults(seen),
            "events": [{"item": document(one.item), "place": one.place, "refusal": one.refusal} for one in seen.events],
            "paths": _paths(sample),
            "kinds": list(kinds.current(clock.utcnow())),
        }
        part = request.headers.get("X-Trilha-Part") == "preview"
        template = "admin/customers/hook_preview.html" if part else "admin/customers/hook_mapping.html"
        wrong = "save" in request.POST and not part
        return TemplateResponse(request, template, context, status=422 if wrong else 200)

    def _save_mapping(self, request: HttpRequest, hook: Hook, text: str) -> HttpResponse:
        before = hook.mapping
        hook.mapping = read_document(text.encode(), JSON)
        hook.save(update_fields=["mapping"])
        now = clock.utcnow()
        audit.record(request.user, "change", hook, {"mapping": before}, {"mapping": hook.mapping}, now=now)
        self.message_user(request, gettext("The mapping holds for what comes from now on."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:customers_hook_mapping", args=[hook.pk]))

    def _sample_body(self, request: HttpRequest, hook: Hook) -> ReceivedBody | None:
        """The body that was asked for, else the last one, to those who may read it."""
        rows = ReceivedBody.objects.personal_to(request.user).filter(hook=hook).order_by("-id")
        if not request.user.has_perm("customers.view_receivedbody"):
            return None
        chosen = request.POST.get("body") or request.GET.get("body", "")
        if chosen.isascii() and chosen.isdecimal() and len(chosen) < 19:
            return rows.filter(pk=int(chosen)).first()
        return rows.first()

    def _suggested(self, sample: str) -> str:
        try:
            found = read_document(sample.encode(errors="replace"), JSON)
        except Refused:
            return ""
        return as_text(suggest(found, kinds.current(clock.utcnow())))


def _faults(seen: Preview) -> list[dict[str, Any]]:
    """Everything that is wrong, with the places in both texts."""
    told = [
        {"where": name, "pointer": refusal.pointer, "message": refusal.message, "hint": refusal.hint}
        for name, refusal in (
            (gettext("mapping"), seen.unreadable_mapping),
            (gettext("sample"), seen.unreadable_sample),
        )
        if refusal is not None
    ]
    return [
        *told,
        *(
            {"where": one.field, "pointer": one.pointer, "message": one.message, "hint": one.hint}
            for one in seen.problems
        ),
    ]


def _paths(sample: str) -> list[str]:
    try:
        found = read_document(sample.encode(errors="replace"), JSON)
    except Refused:
        return []
    held = found[0] if isinstance(found, list) and found else found
    return [path for path, _value in leaves(held)][:_MOST_PATHS]


@admin.register(ReceivedBody)
class ReceivedBodyAdmin(Facts):
    list_display = (
        "id",
        "hook",
        state("status", _STATUS, _("status")),
        "why",
        "accepted",
        "refused",
        when("received_at", _("received")),
    )
    list_filter = ("status", "hook")
    list_select_related = ("hook",)
    search_fields = ("id", "delivery_id", "reason")
    search_help_text = _("A whole id, delivery or reason code.")
    actions = ("replay",)
    when_empty = _("Nothing came yet. What comes to a webhook is kept here as it came, whatever becomes of it.")
    fieldsets = (
        (None, {"fields": ("hook", "status", "why", "faults", "interpreted_at")}),
        (_("What became of it"), {"fields": ("accepted", "duplicates", "refused", "repeats", "beside_mapping")}),
        (_("What came"), {"fields": ("received_at", "delivery_id", "content_type", "sent_headers", "as_it_came")}),
    )
    readonly_fields = ("why", "faults", "beside_mapping", "sent_headers", "as_it_came")

    @admin.display(description=_("reason"), ordering="reason")
    def why(self, body: ReceivedBody) -> str:
        return body.reason.replace("_", " ")

    @admin.display(description=_("faults"))
    def faults(self, body: ReceivedBody) -> SafeString | str:
        found = (Problem(one["code"], one["field"], one["pointer"]) for one in body.problems)
        return table(
            (_("field of the mapping"), _("place in the body"), _("what is wrong")),
            [(one.field, one.pointer, f"{one.message} {one.hint}") for one in found],
        )

    @admin.display(description=_("mapping"))
    def beside_mapping(self, body: ReceivedBody) -> SafeString:
        address = reverse("admin:customers_hook_mapping", args=[body.hook_id])
        return format_html('<a href="{}?body={}">{}</a>', address, body.pk, _("Open the mapping beside this body"))

    @admin.display(description=_("headers"))
    def sent_headers(self, body: ReceivedBody) -> SafeString | str:
        return document(body.headers)

    @admin.display(description=_("as it came"))
    def as_it_came(self, body: ReceivedBody) -> SafeString | str:
        # A mask is text.
        held: Any = body.body
        return document(held if isinstance(held, str) else bytes(held).decode(errors="replace"))

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("customers.change_receivedbody"))

    @admin.action(description=_("Interpret anew, by the mapping as it is now"), permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: QuerySet[ReceivedBody]) -> None:
        count = interpret.replay(list(queryset.values_list("pk", flat=True)), clock.utcnow())
        text = ngettext("%(count)s body waits for it.", "%(count)s bodies wait for it.", count)
        self.message_user(request, text % {"count": count})
