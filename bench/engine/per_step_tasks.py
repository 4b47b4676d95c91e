"""The obvious design: a Celery task per step and customer, which locks its run, moves it once and calls the next.

Waits are over at once, so that only the work is timed. Rules are evaluated; consent and addresses are looked up
by one query where we ask for permission, and nothing is re-checked: less than our engine does, not more.
"""

import os
from datetime import datetime
from typing import Any
from uuid import UUID

import django
from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.conf import settings  # noqa: E402  # models can only be read once Django stands
from django.db import transaction  # noqa: E402

from bench.engine.journey import LOG_IN, SIGN_UP, T0  # noqa: E402
from channels.models import Message, MessageContent  # noqa: E402
from customers.models import AddressProfile, Customer, Event  # noqa: E402
from customers.rules import Facts  # noqa: E402
from journeys.models import CancelWatch, Cause, EntryMemory, Run, RunContext, Transition  # noqa: E402
from journeys.steps.base import Go, Here, Outcome  # noqa: E402
from journeys.version import Version, version  # noqa: E402

QUEUE = "trilha_bench"
app = Celery("trilha_bench", broker=settings.CELERY_BROKER_URL)
app.conf.update(
    task_default_queue=QUEUE, task_ignore_result=True, broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
)  # fmt: skip
