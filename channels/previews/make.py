"""One preview: the words filled in, or why there would be no message."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from channels.dispatch import extras
from channels.dispatch.compose import Texts, context_of
from channels.liquid import Abort
from channels.liquid.reader import Reader
from channels.models import PulledSource
from channels.previews.pulled import NotPulledError, pulled
from channels.previews.somebody import NOBODY, Somebody
from channels.pulled.known import ROOT
from channels.pulled.loading import Whose
from channels.templates import (
    MissingFieldError,
    Rendered,
    TemplateError,
    TemplateLimitError,
    Text,
    choose_text,
    render,
)
from customers import clock
from customers.models import Brand

# Leads to a page of ours that is there for nobody: no preview changes what somebody agreed to.
_NOWHERE: Final = "/unsubscribe/preview/"
_PATIENCE_SECONDS: Final = 5.0
_PULLED: Final = frozenset((ROOT,))
# Of nobody nothing is listed.
UNKNOWN: Final[tuple[Any, ...]] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    texts: Sequence[Text]
    brand: Brand
    at: datetime
    somebody: Somebody = NOBODY
    # Of the event, and the journey's variables.
    variables: Mapping[str, Any] = field(default_factory=dict)
    # Instead of the person's own language.
    locale: str = ""
    channel: str = ""
    # What it would be sent for: what is loaded besides may ask whether it may be.
    purpose_id: UUID | None = None
    # What the words pull, saved or not.
    sources: Sequence[PulledSource] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    rendered: Rendered | None = None
    # Why there would be no message, in words.
    fault: str = ""
    # What is not as it would be in a message.
    notes: Sequence[str] = ()


def show(ask: Ask) -> Shown:
    brand, somebody = ask.brand, ask.somebody
    locale = ask.locale or somebody.locale or brand.locale
    context = context_of(somebody.traits, ask.variables, None, brand.name, brand.postal_address, ways_nowhere())
    reader = Reader(ask.at, locale, somebody.zone or brand.zone, brand.currency)
    try:
        more, notes = _loaded(ask, locale, context)
        if isinstance(more, extras.Trouble):
            said = {"why": more.detail or getattr(more, "reason", "")}
            return Shown(fault=_("Not sent: what it names besides could not be loaded (%(why)s).") % said)
        return Shown(render(ask.texts, locale, brand.locale, {**context, **more}, reader), notes=notes)
    except NotPulledError as error:
        return Shown(fault=str(error))
    except Abort as aborted:
        return Shown(fault=_("Not sent, as the template itself says: %(why)s.") % {"why": aborted})
    except TemplateLimitError as error:
        return Shown(
            fault=_("Not sent: it would take more time or memory than a message may (%(why)s).") % {"why": error}
        )
    except MissingFieldError as error:
        return Shown(fault=_("Not sent: nothing is known for a field that has no default (%(why)s).") % {"why": error})
    except TemplateError as error:
        return Shown(fault=_("Not sent: it cannot be filled in (%(why)s).") % {"why": error})


def _loaded(
    ask: Ask, locale: str, context: Mapping[str, Any]
) -> tuple[Mapping[str, Any] | extras.Trouble, Sequence[str]]:
    """What the words name beside what comes with a message, and what is to be noted of it."""
    text = choose_text(ask.texts, locale, ask.brand.locale)
    more = _of_somebody(ask, text, locale, context)
    names = extras.named_in(text).get(ROOT)
    if names is None or isinstance(more, extras.Trouble):
        return more, ()
    # The address is filled in as of then, and asked now.
    whose = Whose(ask.brand.pk, context, Reader(ask.at, locale))
    values, notes = pulled(ask.sources, names, whose, clock.utcnow(), is_masked=ask.somebody.is_masked)
    return {**more, ROOT: values}, notes


def _of_somebody(ask: Ask, text: Text, locale: str, context: Mapping[str, Any]) -> Mapping[str, Any] | extras.Trouble:
    """What is loaded for whoever looks; of nobody there is nothing to load."""
    somebody = ask.somebody
    if ask.purpose_id is None or somebody.customer_id is None or somebody.profile_id is None:
        return dict.fromkeys(extras.named_in(text), UNKNOWN)
    want = extras.Want(
        brand_id=ask.brand.pk,
        purpose_id=ask.purpose_id,
        channel=ask.channel,
        profile_id=somebody.profile_id,
        customer_id=somebody.customer_id,
        address_id=None,
        locale=locale,
        brand_locale=ask.brand.locale,
        context=context,
    )
    (found,) = extras.load([(text, want)], ask.at, time.monotonic() + _PATIENCE_SECONDS, without=_PULLED)
    return found


def ways_nowhere() -> dict[str, str]:
    address = settings.TRILHA_PUBLIC_URL.rstrip("/") + _NOWHERE
    return {"unsubscribe_url": address, "preferences_url": address}


def texts_of(version_id: int) -> list[Text]:
    return Texts.load([version_id]).by_version.get(version_id, [])
