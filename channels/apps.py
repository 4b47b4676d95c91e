from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class ChannelsConfig(AppConfig):
    name = "channels"
    verbose_name = pgettext_lazy("layer", "Act")

    def ready(self) -> None:
        from channels.retention import CONTENTS
        from customers.retention import kinds

        kinds.register(CONTENTS)
