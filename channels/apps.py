from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class ChannelsConfig(AppConfig):
    name = "channels"
    verbose_name = pgettext_lazy("layer", "Act")

    def ready(self) -> None:
        from channels.models import Connector
        from channels.retention import CONTENTS
        from channels.secrets import place
        from customers.resealing import Sealed, register
        from customers.retention import kinds

        kinds.register(CONTENTS)
        register(Sealed(Connector, "credentials", place))
