"""A Celery app for baselines, apart from the product's: plain settings, its own queue, tasks in the modules named."""

import os

import django
from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.conf import settings  # noqa: E402  # the task modules read models, so Django has to stand before

QUEUE = "trilha_bench"
app = Celery("trilha_bench", broker=settings.CELERY_BROKER_URL, include=["bench.engine.per_step_tasks"])
app.conf.update(task_default_queue=QUEUE, task_ignore_result=True, broker_connection_retry_on_startup=True)
# Unset, every task would open a connection of its own to the database.
app.conf["CELERY_DB_REUSE_MAX"] = 1_000_000
