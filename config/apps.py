from django.apps import AppConfig


class HouseConfig(AppConfig):
    """Loads the Celery app, so that a bell rung by any process goes to the right broker."""

    name = "config"
    verbose_name = "Trilha"

    def ready(self) -> None:
        from config.celery import app, ringer
        from config.sweeps import watch
        from customers import bells

        bells.register(ringer)
        watch(app)
