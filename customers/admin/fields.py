"""Fields that forms of several models need: documents as JSON, and the world's zones, languages and currencies."""

import json
from typing import Any, Final
from zoneinfo import available_timezones

from django import forms
from unfold.widgets import UnfoldAdminSelect2Widget, UnfoldAdminTextareaWidget

# ISO 4217, the currencies in circulation.
_CURRENCIES: Final = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY
    COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS
    INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP
    MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR
    SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV
    WST XAF XCD XOF XPF YER ZAR ZMW ZWG
"""
_LOCALES: Final = """
    pt-BR pt-PT pt en en-AU en-US en-GB en-CA en-NZ en-IE es es-419 es-AR es-CL es-CO es-ES es-MX fr fr-CA fr-FR
    de de-AT de-CH it ja ko nl pl sv da nb fi cs tr uk ru zh-Hans zh-Hant ar he hi id vi th
"""


class Document(forms.JSONField):
    """A JSON document, laid out for people."""

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, forms.fields.InvalidJSONInput):
            return value
        # Nothing is nothing to read, and to be written over.
        return "" if value is None else json.dumps(value, ensure_ascii=False, indent=2, cls=self.encoder)


class DocumentArea(UnfoldAdminTextareaWidget):
    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        given = attrs or {}
        super().__init__({"rows": 14, **given, "class": f"t-json {given.get('class', '')}", "spellcheck": "false"})


class Lines(forms.CharField):
    """A list of texts, one a line."""

    widget = UnfoldAdminTextareaWidget

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        text = super().clean(value) or ""
        return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class OneOf(forms.ChoiceField):
    """A choice from a long list of codes. What is stored already stays a choice, however unusual."""

    widget = UnfoldAdminSelect2Widget

    def __init__(self, codes: list[str], **kwargs: Any) -> None:
        self._codes = codes
        super().__init__(choices=[(code, code) for code in codes], **kwargs)

    def keep(self, stored: str) -> None:
        if stored and stored not in self._codes:
            self.choices = [(stored, stored), *((code, code) for code in self._codes)]


def zones() -> list[str]:
    """The zones of the IANA that name a place, and UTC."""
    return ["UTC", *sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))]


def locales() -> list[str]:
    return _LOCALES.split()


def currencies() -> list[str]:
    return _CURRENCIES.split()
