"""The forms of log-in; whatever is wrong, they say the same."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminTextInputWidget

from customers import audit, clock
from customers.log_in import back_off

_WRONG = _("Name and password do not fit, or there were too many attempts. Check both, or wait a few minutes.")


class LogInForm(AuthenticationForm):
    """Name and password, counted before they are judged."""

    error_messages = {"invalid_login": _WRONG, "inactive": _WRONG}

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.network = network_of(request)
        self.fields["username"].widget.attrs["autocomplete"] = "username"

    def clean(self) -> dict[str, Any]:
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if not name or not password:
            return dict(self.cleaned_data)
        now = clock.utcnow()
        if not back_off.begin([back_off.account(name), back_off.address(self.network)], now):
            # As slow as the answer to a wrong password.
            get_user_model()().set_password(password)
            raise self.get_invalid_login_error()
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            self._note_failure(name)
            raise self.get_invalid_login_error() from None
        return cleaned

    def _note_failure(self, name: str) -> None:
        """Of names that are nobody's, nothing is kept: they may be passwords typed too early."""
        tried = get_user_model()._default_manager.filter(username=name).first()
        if tried is not None:
            audit.record(None, "log_in_failed", tried, None, {"step": "password"}, now=clock.utcnow())


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("code"),
        max_length=40,
        widget=UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}
        ),
    )


def network_of(request: HttpRequest) -> str:
    """The caller's address: the one our own proxies saw, never one that the caller chose."""
    proxies = int(str(settings.REST_FRAMEWORK["NUM_PROXIES"]))
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if proxies and forwarded:
        hops: list[str] = [hop.strip() for hop in forwarded.split(",")]
        return hops[-min(proxies, len(hops))][:45]
    return str(request.META.get("REMOTE_ADDR", ""))
