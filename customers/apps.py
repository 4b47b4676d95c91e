from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustomersConfig(AppConfig):
    name = "customers"
    verbose_name = _("customers")

    def ready(self) -> None:
        from customers import dead_letters, quarantine, resolve
        from customers.accept.replay import accept_again
        from customers.accept.segment import DOOR

        dead_letters.register(resolve.QUEUE)
        quarantine.register(DOOR, accept_again)
