from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class CustomersConfig(AppConfig):
    name = "customers"
    verbose_name = pgettext_lazy("layer", "Sense")

    def ready(self) -> None:
        from customers import dead_letters, personal, quarantine, quarantine_jobs, resealing, resolve, traits
        from customers.accept.dialects import DIALECTS
        from customers.accept.replay import accept_again
        from customers.duplicates import search
        from customers.hooks import interpret, secrets
        from customers.imports import job
        from customers.log_in import noted, two_factor
        from customers.merging import anew, effects, winners
        from customers.models import Authenticator, Hook, VisitorSecret
        from customers.privacy import checks, doors, files, people, stores
        from customers.retention import apply, ours
        from customers.segments import build, stage
        from customers.visitors import secrets as visitor_secrets

        noted.connect()
        checks.register_ours()
        stores.register(*people.STORES, *doors.STORES, *files.STORES)
        resealing.register(
            resealing.Sealed(Hook, "secrets", secrets.place),
            resealing.Sealed(Authenticator, "secret", two_factor.place),
            resealing.Sealed(VisitorSecret, "secret", visitor_secrets.place),
        )
        personal.declare_open(traits.open_names)
        anew.register()
        quarantine_jobs.register()
        ours.register_ours()
        apply.register()
        effects.register(winners.tell)
        search.register()
        job.register()
        build.register()
        for queue in (resolve.QUEUE, stage.QUEUE, stage.TURNS):
            dead_letters.register(queue)
        dead_letters.register_staying(interpret.QUEUE.name, interpret.replay)
        for door in DIALECTS:
            quarantine.register(door, accept_again)
