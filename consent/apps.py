from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConsentConfig(AppConfig):
    name = "consent"
    verbose_name = _("Consent")

    def ready(self) -> None:
        from consent import merging as effects
        from consent import passed_on, permitted, rules  # noqa: F401 - makes its kinds of conditions known
        from consent.events import consume
        from consent.expiring import EXPIRED, EXPIRING
        from consent.imports import ROWS
        from consent.models import Erasure, PrivacyArchive
        from consent.privacy import erasure, export, restricting
        from consent.privacy.stores import MENTIONS, STORES
        from consent.refusals import DOOR
        from consent.replay import replay
        from consent.requests import NAMES
        from consent.stage import QUEUE
        from consent.suppression import returned
        from consent.telling import CHANGED
        from customers import consumers, dead_letters, erased, internal, merging, quarantine, resealing
        from customers.imports import rows
        from customers.models import Import
        from customers.privacy import stores, subject

        stores.register(*STORES)
        subject.register(MENTIONS)
        erased.on_return(returned)
        erasure.register()
        export.register()
        restricting.register()
        resealing.register(
            resealing.Sealed(Erasure, "subject", erasure.place),
            resealing.Sealed(PrivacyArchive, "data", export.place),
        )

        rows.register(Import.Rows.CONSENTS, ROWS)
        internal.reserve(EXPIRING, EXPIRED, CHANGED)
        consumers.register(consume, reads=NAMES)
        consumers.register(passed_on.consume)
        merging.register(effects.tell)
        dead_letters.register(QUEUE)
        quarantine.register(DOOR, replay)
