from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class ChannelsConfig(AppConfig):
    name = "channels"
    verbose_name = pgettext_lazy("layer", "Act")

    def ready(self) -> None:
        from channels import confirmations
        from channels.models import Connector, WebhookEndpoint
        from channels.privacy import STORES
        from channels.receipts import apply, read, telling
        from channels.retention import KINDS
        from channels.secrets import place
        from channels.webhooks import endpoints, queue, replay, secrets
        from channels.webhooks.privacy import STORE
        from consent.confirming import ask
        from customers import dead_letters, internal, stored, tokens
        from customers.privacy import stores
        from customers.resealing import Sealed, register
        from customers.retention import kinds

        stores.register(*STORES, STORE)
        kinds.register(*KINDS)
        internal.reserve(*telling.RESERVED)
        dead_letters.register_staying(read.QUEUE.name, read.again)
        dead_letters.register_staying(apply.QUEUE.name, apply.again)
        ask.register(confirmations.ready, confirmations.send)
        register(Sealed(Connector, "credentials", place), Sealed(WebhookEndpoint, "secrets", secrets.place))
        stored.register(queue.queue)
        tokens.follow(endpoints.follow_token)
        replay.register()
