from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class ChannelsConfig(AppConfig):
    name = "channels"
    verbose_name = pgettext_lazy("layer", "Act")

    def ready(self) -> None:
        from channels import confirmations
        from channels.models import Connector
        from channels.privacy import STORES
        from channels.receipts import apply, read, telling
        from channels.retention import CALLBACKS, CONTENTS
        from channels.secrets import place
        from consent.confirming import ask
        from customers import dead_letters, internal
        from customers.privacy import stores
        from customers.resealing import Sealed, register
        from customers.retention import kinds

        stores.register(*STORES)
        kinds.register(CONTENTS, CALLBACKS)
        internal.reserve(*telling.RESERVED)
        dead_letters.register_staying(read.QUEUE.name, read.again)
        dead_letters.register_staying(apply.QUEUE.name, apply.again)
        ask.register(confirmations.ready, confirmations.send)
        register(Sealed(Connector, "credentials", place))
