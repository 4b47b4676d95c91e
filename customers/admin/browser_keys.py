"""Keys for web pages: the form in which they are asked for, and the lines that a page is given to copy."""

import re
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from customers import browser
from customers.admin.fields import Lines
from customers.models import WriteKey
from customers.models.source import ORIGIN

if TYPE_CHECKING:
    KeyModelForm = forms.ModelForm[WriteKey]
else:
    KeyModelForm = forms.ModelForm

_MOST: Final = 50
# Calls that a page makes before the script is there wait in a list, and pages without it go on.
STUB: Final = (
    "window.trilha=window.trilha||{q:[]};"
    '"track page identify group alias consent form reset optIn optOut prove slot inbox".split(" ").forEach(function(n){'
    "trilha[n]=trilha[n]||function(){trilha.q.push([n,arguments])}})"
)


class WriteKeyForm(KeyModelForm):
    origins = Lines(
        label=_("origins"),
        required=False,
        help_text=_("From whose pages a browser key may write, one a line: https://www.example.com, without a path."),
    )

    def clean_origins(self) -> list[str]:
        origins = [origin.lower().rstrip("/") for origin in self.cleaned_data["origins"]]
        if any(not re.match(ORIGIN, origin) or len(origin) > 260 for origin in origins):
            raise ValidationError(_("An origin is https:// and a host, without a path."), code="origin")
        if len(origins) > _MOST:
            raise ValidationError(_("More than %(most)s origins."), code="too_many", params={"most": _MOST})
        return list(dict.fromkeys(map(_as_browsers_write, origins)))

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        origins, kind = self.cleaned_data.get("origins"), self.cleaned_data.get("kind")
        if origins is None:
            return cleaned
        if kind == WriteKey.Kind.BROWSER and not origins:
            self.add_error("origins", ValidationError(_("Say from whose pages it may write."), code="required"))
        if kind == WriteKey.Kind.SERVER and origins:
            self.add_error("origins", ValidationError(_("A server’s key has no origins."), code="server"))
        return cleaned


def snippet_of(key: WriteKey) -> SafeString:
    """What goes into every page, following the newest version or pinned to this one."""
    context = {"key": key.public, "host": settings.TRILHA_PUBLIC_URL, "stub": STUB, "script": browser.newest()}
    return render_to_string("admin/customers/snippet.html", context)


def _as_browsers_write(origin: str) -> str:
    """The usual port is left out."""
    usual = ":443" if origin.startswith("https:") else ":80"
    return origin.removesuffix(usual)
