"""The Celery app; tasks are the `tasks` modules of the apps."""

import os
import sys
from typing import Any

from celery import Celery, signals
from django.db import close_old_connections

from config.bells import ringer_of

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("trilha")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Unset, every task would connect to the database anew; Django's own rules of age and health hold instead.
app.conf["CELERY_DB_REUSE_MAX"] = sys.maxsize


@signals.task_prerun.connect(weak=False)
def _mind_connections(**_signal: Any) -> None:
    close_old_connections()


ringer = ringer_of(app)
