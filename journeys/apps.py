from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JourneysConfig(AppConfig):
    name = "journeys"
    verbose_name = _("journeys")

    def ready(self) -> None:
        from channels import guards
        from channels.models import Message
        from customers import dead_letters
        from journeys import steps  # noqa: F401 - makes every step type known
        from journeys.engine import match, merges, recheck
        from journeys.guard import guard

        guards.register(Message.Origin.RUN.value, guard)
        dead_letters.register(match.QUEUE, merges.QUEUE, recheck.QUEUE)
