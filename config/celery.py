"""The Celery app; tasks are the `tasks` modules of the apps."""

import os

from celery import Celery

from config.bells import ringer_of

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("trilha")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

ringer = ringer_of(app)
