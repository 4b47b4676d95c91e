"""Consent out of a file: a row is an answer with its proof, and a list of those who said no binds their addresses."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from consent.models import Method
from consent.requests import GRANTED, WITHDRAWN
from customers.imports.limits import FileRefused
from customers.imports.rows import ID, TIME, Part, RowKind

ANSWER: Final = "answer"
_EVENTS: Final = {"granted": GRANTED, "withdrawn": WITHDRAWN}
_YES: Final = "granted given grant yes y true 1 in opt-in opt_in optin subscribed sim s verdadeiro aceito concedido"
_NO: Final = (
    "withdrawn withdraw no n false 0 out opt-out opt_out optout unsubscribed refused nao não falso recusado retirado"
)
_WORDS: Final = {**dict.fromkeys(_YES.split(), GRANTED), **dict.fromkeys(_NO.split(), WITHDRAWN)}
_PARTS: Final = {
    "purpose": Part(_("purpose"), "purpose finalidade proposito list lista topic topico", for_all=True),
    ANSWER: Part(
        _("answer"),
        "consent consentimento opt_in optin status aceite resposta subscribed inscrito",
        for_all=True,
        options={"granted": pgettext_lazy("consent", "granted"), "withdrawn": pgettext_lazy("consent", "withdrawn")},
        help=_("A column may say it as yes and no, in both languages. Who withdrew is not written to by anybody."),
    ),
    "notice": Part(
        _("key of the notice shown"),
        "aviso termo",
        for_all=True,
        help=_("The words that were shown when it was asked."),
    ),
    "notice_version": Part(_("version of the notice"), "versao_do_aviso versao", for_all=True),
    "language": Part(_("language shown"), "idioma lingua locale", for_all=True),
    "legal_basis": Part(_("legal basis"), "base_legal", for_all=True, help=_("Law and article, as in lgpd:7:I.")),
    "jurisdiction": Part(_("jurisdiction"), "jurisdicao pais country", for_all=True),
    "collector": Part(
        _("collected by"), "coletor origem source form formulario", for_all=True, help=_("The form, shop or campaign.")
    ),
    "valid_until": Part(_("valid until"), "valido_ate validade expires expires_at", is_time=True),
    "address": Part(_("e-mail address it is for"), "endereco_de_email_do_consentimento"),
    "url": Part(_("address of the page"), "page pagina link"),
    "ip": Part(_("IP address"), "ip_address endereco_ip"),
    "user_agent": Part(_("browser"), "navegador browser"),
    "text": Part(_("the words shown"), "texto wording"),
}


def finish(rule: dict[str, Any], said: Mapping[str, str]) -> None:
    """The name of the event is the answer; what no column says, holds for all rows."""
    properties = rule.setdefault("properties", {})
    answer = properties.pop(ANSWER, None)
    if answer is not None:
        table = {"do": "choose", "table": _WORDS}
        rule["name"] = {**answer, "steps": ["trim", "lower", table], "required": True}
    elif said.get(ANSWER) in _EVENTS:
        rule["name"] = {"constant": _EVENTS[said[ANSWER]]}
    for name, part in _PARTS.items():
        if part.for_all and name != ANSWER and name not in properties and name in said:
            properties[name] = {"constant": said[name]}
    missing = [str(_PARTS[name].label) for name in ("purpose",) if name not in properties]
    missing += [] if "name" in rule else [str(_PARTS[ANSWER].label)]
    # When somebody said no matters less than that they did; a yes without its time proves nothing.
    if rule.get("name") != {"constant": WITHDRAWN} and TIME not in rule:
        missing.append(gettext("when it occurred"))
    if missing:
        raise FileRefused("not_said", names=", ".join(missing))
    if "purpose" in properties and "path" in properties["purpose"]:
        properties["purpose"]["required"] = True
    properties["method"] = {"constant": Method.IMPORT.value}


ROWS: Final = RowKind(("track",), told=(TIME, ID), parts=_PARTS, finish=finish)
