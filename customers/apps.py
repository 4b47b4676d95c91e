from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustomersConfig(AppConfig):
    name = "customers"
    verbose_name = _("customers")

    def ready(self) -> None:
        from customers import dead_letters, resolve

        dead_letters.register(resolve.QUEUE)
