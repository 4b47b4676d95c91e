"""The mail by which a consent is confirmed: a message like any other, and of a legal purpose, since it is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils.translation import gettext_noop as _

from channels.models import Connector, Message, Template, TemplateText, TemplateVersion
from channels.outbox import NewMessage, write_messages
from consent.confirming.link import confirm_url
from consent.models import Confirmation, Purpose
from consent.models.purpose import CONFIRMATION_KEY
from customers import bells
from customers.models import Brand, Customer
from customers.models.address import Channel
from customers.pg import raw_cursor

# Purpose of a brand, and its template for what is added; made with the first request, and its own to rewrite since.
KEY: Final = CONFIRMATION_KEY

_HTML: Final = (
    "<p>{ask}</p>"
    '<p><a href="{{{{ event.confirm_url }}}}">{button}</a></p><p>{unless}</p>'
    "<p>{{{{ brand.name }}}}<br>{{{{ brand.postal_address | newline_to_br }}}}</p>"
)
_TEXT: Final = (
    "{ask}\n\n{button}: {{{{ event.confirm_url }}}}\n\n{unless}\n\n{{{{ brand.name }}}}\n{{{{ brand.postal_address }}}}"
)
_WORDS: Final = {
    "en": {
        "subject": "Please confirm: {% if event.purpose %}{{ event.purpose }}{% else %}more frequent mail{% endif %}",
        "ask": "Somebody, we hope you, asked {{ brand.name }} to write to this address"
        "{% if event.purpose %} about “{{ event.purpose }}”{% else %} more often{% endif %}.",
        "button": "Look at it and confirm",
        "unless": "If it was not you, do nothing: without your confirmation nothing changes.",
    },
    "pt-BR": {
        "subject": "Confirme, por favor: {% if event.purpose %}{{ event.purpose }}{% else %}"
        "mensagens mais frequentes{% endif %}",
        "ask": "Alguém, esperamos que você, pediu que {{ brand.name }} escreva para este endereço"
        "{% if event.purpose %} sobre “{{ event.purpose }}”{% else %} com mais frequência{% endif %}.",
        "button": "Ver e confirmar",
        "unless": "Se não foi você, não faça nada: sem a sua confirmação nada muda.",
    },
}
_END_WORDS: Final = {
    "en": _WORDS["en"]
    | {
        "subject": "Please confirm: the end of the pause",
        "ask": "Somebody, we hope you, asked {{ brand.name }} to write to this address again, "
        "before the pause is over.",
    },
    "pt-BR": _WORDS["pt-BR"]
    | {
        "subject": "Confirme, por favor: o fim da pausa",
        "ask": "Alguém, esperamos que você, pediu que {{ brand.name }} volte a escrever para este endereço, "
        "antes do fim da pausa.",
    },
}


@dataclass(frozen=True, slots=True)
class _Mail:
    """A template as it is first made. Each question has its own: a brand that has rewritten one, or was made before
    there was another, must have nobody confirm something else than they are told."""

    key: str
    name: str
    words: Mapping[str, Mapping[str, str]]


_TO_ADD: Final = _Mail(KEY, _("Confirmation of a consent"), _WORDS)
_TO_END_A_PAUSE: Final = _Mail("end-of-pause-confirmation", _("Confirmation of the end of a pause"), _END_WORDS)


def ready(brand_id: UUID) -> bool:
    return _connector(brand_id) is not None


def send(confirmation: Confirmation, now: datetime) -> None:
    """Put the mail into the outbox, within the caller's transaction."""
    connector = _connector(confirmation.brand_id)
    if connector is None:
        raise LookupError("no connector for mail")
    brand = confirmation.brand
    name, description = "", ""
    if confirmation.purpose is not None:
        spoken = confirmation.language or Customer.objects.get(profiles=confirmation.profile_id).locale
        name, description = confirmation.purpose.public(spoken, brand.locale)
    message = NewMessage(
        brand_id=brand.pk,
        origin_kind=Message.Origin.CONSENT.value,
        origin_id=str(confirmation.pk),
        visit=0,
        copy_key=f"{KEY}:{confirmation.pk}",
        scope_id=brand.pk,
        channel=Channel.EMAIL.value,
        connector_id=connector.pk,
        template_version_id=_template_version(brand, _TO_END_A_PAUSE if confirmation.ends_pause else _TO_ADD).pk,
        purpose_id=_purpose(brand).pk,
        profile_id=confirmation.profile_id,
        address_id=confirmation.address_id,
        created_at=now,
        due_at=now,
        expires_at=confirmation.expires_at,
        context={
            "confirm_url": confirm_url(confirmation.pk),
            "purpose": name,
            "description": description,
            "language": confirmation.language,
        },
        entry_consent_id=confirmation.requested_entry_id,
    )
    with raw_cursor() as cursor:
        write_messages(cursor, [message])
    bells.ring("dispatch")


def _connector(brand_id: UUID) -> Connector | None:
    """The brand's first for mail: there is one as a rule, and what it sends first is asked for by few."""
    found = Connector.objects.filter(brand=brand_id, channel=Channel.EMAIL, is_active=True)
    return found.order_by("pk").first()


def _purpose(brand: Brand) -> Purpose:
    """The brand's; where it uses the key for something of its own, that is not to be taken for it."""
    defaults = {"name": _("Confirmation of a consent"), "kind": Purpose.Kind.LEGAL, "is_offered": False}
    for key in (KEY, f"{KEY}-by-law"):
        made, _new = Purpose.objects.get_or_create(brand=brand, key=key, defaults=defaults)
        if made.kind == Purpose.Kind.LEGAL:
            return made
    raise LookupError("no legal purpose for the mails that confirm")


def _template_version(brand: Brand, mail: _Mail) -> TemplateVersion:
    """The newest, which may be the brand's own words; the first is made here."""
    template, _new = Template.objects.get_or_create(
        brand=brand, key=mail.key, defaults={"name": mail.name, "channel": Channel.EMAIL}
    )
    newest = template.versions.order_by("-number").first()
    if newest is not None:
        return newest
    version, new = TemplateVersion.objects.get_or_create(template=template, number=1)
    if new:
        TemplateText.objects.bulk_create(
            TemplateText(
                version=version,
                locale=locale,
                subject=words["subject"],
                html=_HTML.format(**words),
                text=_TEXT.format(**words),
            )
            for locale, words in mail.words.items()
        )
    return version
