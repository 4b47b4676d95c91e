"""The seeded schedule: every entry names a task that exists and the queue that its worker listens to."""

import importlib

import pytest
from django.apps import apps
from django_celery_beat.models import PeriodicTask

from config.celery import app

seeds = importlib.import_module("config.migrations.0001_beat_schedule")

pytestmark = pytest.mark.django_db


def test_the_schedule_is_seeded() -> None:
    rows = PeriodicTask.objects.values_list("task", "queue", "interval__every", "interval__period", "expire_seconds")
    assert sorted(rows) == [
        ("analytics.count_maps", "slow", 60, "seconds", 60),
        ("channels.count_views", "slow", 3600, "seconds", 3600),
        ("channels.deliver_webhooks", "calls", 1, "seconds", 2),
        ("channels.dispatch_due", "dispatch", 1, "seconds", 2),
        ("channels.list_templates", "slow", 3600, "seconds", 3600),
        ("channels.run_broadcasts", "dispatch", 1, "seconds", 2),
        ("channels.sweep", "dispatch", 15, "seconds", 15),
        ("consent.anchor_ledgers", "slow", 3600, "seconds", 3600),
        ("consent.remove_privacy_files", "slow", 3600, "seconds", 3600),
        ("consent.tell_expiring", "slow", 600, "seconds", 600),
        ("customers.count_segments", "slow", 600, "seconds", 600),
        ("customers.ensure_partitions", "slow", 21600, "seconds", 3600),
        ("customers.fold_tallies", "slow", 60, "seconds", 60),
        ("customers.look_for_duplicates", "slow", None, None, 3600),
        ("customers.prune_imports", "slow", 3600, "seconds", 3600),
        ("customers.prune_kept_answers", "slow", 3600, "seconds", 3600),
        ("customers.retain", "slow", 86400, "seconds", 3600),
        ("customers.work_on_jobs", "slow", 5, "seconds", 5),
        ("journeys.call_due", "calls", 1, "seconds", 2),
        ("journeys.drain", "engine", 1, "seconds", 2),
    ]


def test_every_entry_names_a_task_of_its_queue() -> None:
    app.loader.import_default_modules()
    for entry in PeriodicTask.objects.all():
        assert entry.task in app.tasks
        assert app.amqp.router.route({}, entry.task)["queue"].name == entry.queue


def test_what_the_admin_changed_stays_as_it_is() -> None:
    PeriodicTask.objects.filter(task="journeys.drain").update(enabled=False, expire_seconds=7)
    seeds.seed(apps, None)
    entry = PeriodicTask.objects.get(task="journeys.drain")
    assert (entry.enabled, entry.expire_seconds) == (False, 7)
