"""The services, one row each: what anymail calls their settings, how they prove who calls, and how they say what its
words leave open (whether a bounce is for good, whether a machine has opened).

Left out are Amazon SES, which needs an SDK that brings a client and a resolver of its own, and SendGrid, which anymail
itself no longer supports.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from anymail.backends import (
    brevo,
    mailersend,
    mailgun,
    mailjet,
    mailtrap,
    mandrill,
    postal,
    postmark,
    resend,
    scaleway,
    sparkpost,
    unisender_go,
)
from anymail.inbound import AnymailInboundMessage
from anymail.webhooks.brevo import BrevoInboundWebhookView, BrevoTrackingWebhookView
from anymail.webhooks.mailersend import MailerSendInboundWebhookView, MailerSendTrackingWebhookView
from anymail.webhooks.mailgun import MailgunInboundWebhookView, MailgunTrackingWebhookView
from anymail.webhooks.mailjet import MailjetInboundWebhookView, MailjetTrackingWebhookView
from anymail.webhooks.mailtrap import MailtrapTrackingWebhookView
from anymail.webhooks.mandrill import MandrillCombinedWebhookView
from anymail.webhooks.postal import PostalInboundWebhookView, PostalTrackingWebhookView
from anymail.webhooks.postmark import PostmarkInboundWebhookView, PostmarkTrackingWebhookView
from anymail.webhooks.resend import ResendTrackingWebhookView
from anymail.webhooks.sparkpost import SparkPostInboundWebhookView, SparkPostTrackingWebhookView
from anymail.webhooks.unisender_go import UnisenderGoTrackingWebhookView

Name = Literal[
    "brevo",
    "mailersend",
    "mailgun",
    "mailjet",
    "mailtrap",
    "mandrill",
    "postal",
    "postmark",
    "resend",
    "scaleway",
    "sparkpost",
    "unisender_go",
]
# As SparkPost classifies bounces: those of which the mailbox may recover.
_SPARKPOST_SOFT: Final = frozenset({"20", "21", "22", "23", "24", "40", "70"})


class BrevoInbound(BrevoInboundWebhookView):
    """Attachments are counted, not fetched: reading a call asks nobody anything."""

    def _fetch_attachment(self, attachment: Mapping[str, Any]) -> Any:
        return AnymailInboundMessage.construct_attachment(
            content_type="application/octet-stream", content=b"", filename=attachment.get("Name") or "attachment"
        )


def _never(_event: Any) -> bool:
    return False


def _nothing(_id: str) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Esp:
    """`key` and `secret` are what the backend calls the two credentials, `more` the settings it is given besides."""

    label: str
    backend: Any
    key: str = "api_key"
    secret: str = ""
    more: tuple[str, ...] = ()
    # Settings that must not be empty.
    needs: tuple[str, ...] = ()
    tracking: Any = None
    # None as well where what is received would have to be fetched from the service.
    inbound: Any = None
    # What the views call the key that calls are signed by; empty where a log-in (basic auth) stands for it.
    signed_by: str = ""
    inbound_signed_by: str = ""
    # Calls are signed by the key of the API itself.
    signs_by_api_key: bool = False
    takes_metadata: bool = True
    # Message-ID is ours and the service's name of the message at once.
    keeps_message_id: bool = False
    # What an In-Reply-To says of the message it answers, in the service's own ids.
    answered: Callable[[str], str] = _nothing
    is_soft: Callable[[Any], bool] = _never
    is_machine: Callable[[Any], bool] = _never
    # Codes of errors that are about our account and not about the message.
    of_settings: frozenset[str] = frozenset()
    # And those that are about the message whatever the status says.
    of_message: frozenset[str] = frozenset()
    too_fast: frozenset[int] = frozenset({429})

    @property
    def is_signed(self) -> bool:
        return bool(self.signed_by)


def _in_client(event: Any) -> bool:
    """Mailgun names the machine that opened: apple, gmail, generic."""
    return bool(event["event-data"].get("client-info", {}).get("bot"))


def _sparkpost(event: Any) -> Mapping[str, Any]:
    [inner] = event["msys"].values()
    return inner if isinstance(inner, Mapping) else {}


def _resend_is_soft(event: Any) -> bool:
    kind = event["data"].get("bounce", {}).get("type") or "Permanent"
    return str(kind).lower() != "permanent"


def _of_postmark(id_: str) -> str:
    return id_.strip("<>").removesuffix("@mtasv.net")


ESPS: Final[Mapping[str, Esp]] = {
    "brevo": Esp(
        label="Brevo",
        backend=brevo.EmailBackend,
        tracking=BrevoTrackingWebhookView,
        inbound=BrevoInbound,
        answered=str,
        is_soft=lambda event: event.get("event") == "soft_bounce",
        is_machine=lambda event: event.get("event") in ("proxy_open", "unique_proxy_open"),
        of_settings=frozenset({"unauthorized", "permission_denied", "not_enough_credits", "account_under_validation"}),
    ),
    "mailersend": Esp(
        label="MailerSend",
        backend=mailersend.EmailBackend,
        key="api_token",
        tracking=MailerSendTrackingWebhookView,
        inbound=MailerSendInboundWebhookView,
        signed_by="signing_secret",
        inbound_signed_by="inbound_secret",
        takes_metadata=False,
        is_soft=lambda event: event["data"].get("type") == "soft_bounced",
    ),
    "mailgun": Esp(
        label="Mailgun",
        backend=mailgun.EmailBackend,
        more=("sender_domain",),
        tracking=MailgunTrackingWebhookView,
        inbound=MailgunInboundWebhookView,
        signed_by="webhook_signing_key",
        inbound_signed_by="webhook_signing_key",
        keeps_message_id=True,
        answered=str,
        is_machine=_in_client,
    ),
    "mailjet": Esp(
        label="Mailjet",
        backend=mailjet.EmailBackend,
        secret="secret_key",  # noqa: S106 - a name
        tracking=MailjetTrackingWebhookView,
        inbound=MailjetInboundWebhookView,
        is_soft=lambda event: event.get("event") == "bounce" and not event.get("hard_bounce"),
    ),
    "mailtrap": Esp(
        label="Mailtrap",
        backend=mailtrap.EmailBackend,
        key="api_token",
        tracking=MailtrapTrackingWebhookView,
        signed_by="tracking_secret",
    ),
    "mandrill": Esp(
        label="Mandrill",
        backend=mandrill.EmailBackend,
        tracking=MandrillCombinedWebhookView,
        signed_by="webhook_key",
        is_soft=lambda event: event.get("event") == "soft_bounce",
        # Whatever is wrong, Mandrill says 500.
        of_settings=frozenset({"Invalid_Key", "PaymentRequired", "Unknown_Subaccount", "ServiceUnavailable"}),
        of_message=frozenset({"ValidationError"}),
    ),
    "postal": Esp(
        label="Postal",
        backend=postal.EmailBackend,
        needs=("base_url",),
        tracking=PostalTrackingWebhookView,
        inbound=PostalInboundWebhookView,
        signed_by="webhook_key",
        inbound_signed_by="webhook_key",
        takes_metadata=False,
        of_settings=frozenset({"AccessDenied", "InvalidServerAPIKey", "ServerSuspended", "UnauthenticatedFromAddress"}),
    ),
    "postmark": Esp(
        label="Postmark",
        backend=postmark.EmailBackend,
        key="server_token",
        more=("message_stream",),
        tracking=PostmarkTrackingWebhookView,
        inbound=PostmarkInboundWebhookView,
        answered=_of_postmark,
        is_soft=lambda event: event.get("Type") == "SoftBounce",
        # The token, the sender's signature, credits, approval, the stream.
        of_settings=frozenset({"10", "400", "401", "405", "412", "413", "1235", "1236"}),
    ),
    "resend": Esp(
        label="Resend",
        backend=resend.EmailBackend,
        tracking=ResendTrackingWebhookView,
        is_soft=_resend_is_soft,
        of_settings=frozenset({"missing_api_key", "invalid_api_key", "restricted_api_key", "invalid_from_address"}),
    ),
    "scaleway": Esp(
        label="Scaleway",
        backend=scaleway.EmailBackend,
        key="secret_key",
        more=("project_id", "region"),
        needs=("project_id",),
    ),
    "sparkpost": Esp(
        label="SparkPost",
        backend=sparkpost.EmailBackend,
        more=("subaccount",),
        tracking=SparkPostTrackingWebhookView,
        inbound=SparkPostInboundWebhookView,
        is_soft=lambda event: str(_sparkpost(event).get("bounce_class")) in _SPARKPOST_SOFT,
        is_machine=lambda event: bool((_sparkpost(event).get("user_agent_parsed") or {}).get("is_prefetched")),
        # An unverified sending domain, and an account that may not send.
        of_settings=frozenset({"7001", "1501", "1903"}),
        # 420: more than the account's limit allows.
        too_fast=frozenset({420, 429}),
    ),
    "unisender_go": Esp(
        label="Unisender Go",
        backend=unisender_go.EmailBackend,
        needs=("base_url",),
        tracking=UnisenderGoTrackingWebhookView,
        signed_by="api_key",
        signs_by_api_key=True,
    ),
}
assert tuple(ESPS) == get_args(Name)
