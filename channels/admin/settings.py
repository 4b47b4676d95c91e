"""A provider's settings as form fields: made from its structs, so that a new provider needs no form of its own."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from django import forms
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from msgspec import inspect
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from channels.providers import base as providers
from customers.admin.fields import Document, DocumentArea
from customers.hints import DERIVED, Hint

_SECRET_HELP: Final = _("Encrypted and never shown again; empty keeps what is there.")


class Secret(UnfoldAdminTextInputWidget):
    """Takes a secret and never shows one, not even the one just typed."""

    input_type = "password"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"autocomplete": "new-password", "spellcheck": "false", **(attrs or {})})

    def format_value(self, value: Any) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of a provider's struct; `name` is its name in the form, as those of two providers may be alike."""

    provider: str
    key: str
    secret: bool
    required: bool
    default: Any
    type: inspect.Type
    hint: Hint

    @property
    def name(self) -> str:
        return f"{self.provider}__{'secret__' if self.secret else ''}{self.key}"

    @property
    def label(self) -> str | Promise:
        return self.hint.label or self.key.replace("_", " ")


def settings_of(provider: str) -> list[Setting]:
    cls = providers.provider_class(provider)
    found = (*_fields(provider, cls.Config, secret=False), *_fields(provider, cls.Credentials, secret=True))
    return [setting for setting in found if setting.hint.kind != DERIVED]


def all_settings() -> list[Setting]:
    return [setting for provider in providers.provider_keys() for setting in settings_of(provider)]


def form_fields() -> dict[str, forms.Field]:
    """One field for each setting of each provider, by name; which of them count, the chosen provider says."""
    return {setting.name: _form_field(setting) for setting in all_settings()}


def collect(provider: str, cleaned: Mapping[str, Any], *, secret: bool) -> dict[str, Any]:
    """What was filled in; what was left empty takes its default, or keeps the secret there is."""
    given = ((one, cleaned.get(one.name)) for one in settings_of(provider) if one.secret is secret)
    return {one.key: value for one, value in given if value not in (None, "")}


def _fields(provider: str, struct: type[msgspec.Struct], *, secret: bool) -> Iterator[Setting]:
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    for field in info.fields:
        type_, hint = field.type, Hint()
        while isinstance(type_, inspect.Metadata):
            hint = (type_.extra or {}).get("form", hint)
            type_ = type_.type
        default = field.default
        if default is msgspec.NODEFAULT and field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        yield Setting(provider, field.encode_name, secret, field.required, default, type_, hint)


def _form_field(setting: Setting) -> forms.Field:
    # Only those of the chosen provider are asked for; whether they are all there is checked as one.
    shared: dict[str, Any] = {"label": setting.label, "required": False, "help_text": setting.hint.help}
    if setting.secret:
        own = setting.hint.help
        shared["help_text"] = format_lazy("{} {}", own, _SECRET_HELP) if own else _SECRET_HELP
        return forms.CharField(**shared, strip=False, widget=Secret())
    if setting.default is not msgspec.NODEFAULT:
        shared["initial"] = setting.default
    match setting.type:
        case inspect.LiteralType(values=values):
            choices = [(value, setting.hint.choices.get(str(value), str(value))) for value in values]
            return forms.ChoiceField(**shared, choices=choices, widget=UnfoldAdminSelectWidget())
        case inspect.BoolType():
            return forms.BooleanField(**shared, widget=UnfoldBooleanSwitchWidget())
        case inspect.IntType():
            return forms.IntegerField(**shared, widget=UnfoldAdminIntegerFieldWidget())
        case inspect.FloatType():
            return forms.FloatField(**shared, widget=UnfoldAdminTextInputWidget())
        case inspect.StrType():
            return forms.CharField(**shared, widget=UnfoldAdminTextInputWidget())
    return Document(**shared, widget=DocumentArea({"rows": 4}))
