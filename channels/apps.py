from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class ChannelsConfig(AppConfig):
    name = "channels"
    verbose_name = pgettext_lazy("layer", "Act")

    def ready(self) -> None:
        from channels import confirmations, guards
        from channels.broadcasts import guard as broadcasts
        from channels.broadcasts.segment_use import broadcasts_at
        from channels.catalogue import recommend
        from channels.catalogue.rows import ROWS
        from channels.catalogue.take import take_messages
        from channels.entitlements import leaf  # noqa: F401 - makes its kind of condition known
        from channels.entitlements import telling as entitled
        from channels.models import Connector, PulledHost, PushSubscription, WebhookEndpoint
        from channels.privacy import STORES
        from channels.pulled import hosts, loading
        from channels.push import subscriptions
        from channels.receipts import apply, read, telling
        from channels.retention import KINDS
        from channels.secrets import place
        from channels.webhooks import endpoints, owner, queue, replay, secrets
        from channels.webhooks.privacy import STORE
        from channels.worklist import telling as worklist
        from consent.confirming import ask
        from customers import dead_letters, internal, stored, things, tokens
        from customers.imports import rows
        from customers.models import Import
        from customers.privacy import stores
        from customers.resealing import Sealed, register
        from customers.retention import kinds
        from customers.segments import define

        rows.register(Import.Rows.PRODUCTS, ROWS)
        things.register("product", take_messages)
        recommend.register()
        stores.register(*STORES, STORE)
        kinds.register(*KINDS)
        internal.reserve(*telling.RESERVED, *entitled.RESERVED, *worklist.RESERVED)
        dead_letters.register_staying(read.QUEUE.name, read.again)
        dead_letters.register_staying(apply.QUEUE.name, apply.again)
        ask.register(confirmations.ready, confirmations.send)
        loading.register()
        register(
            Sealed(PulledHost, "secret", hosts.place),
            Sealed(Connector, "credentials", place),
            Sealed(WebhookEndpoint, "secrets", secrets.place),
            Sealed(PushSubscription, "keys", subscriptions.place),
        )
        guards.register("broadcast", broadcasts.guard, broadcasts.guard_all)
        define.register_user(broadcasts_at)
        stored.register(queue.queue)
        tokens.follow(endpoints.follow_token)
        replay.register()
        owner.register()
