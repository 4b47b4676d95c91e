"""The rhythm of the house, seeded once; from then on it belongs to the admin."""

from django.db import migrations

# (name, task, queue, every so many seconds, bells older than this are void)
ENTRIES = (
    ("Drain the pipeline", "journeys.drain", "engine", 1, 2),
    ("Dispatch what is due", "channels.dispatch_due", "dispatch", 1, 2),
    ("Sweep lost leases", "channels.sweep", "dispatch", 15, 15),
    # Beat counts an interval from its own start: one of a day would never end where it is restarted daily.
    ("Prepare event partitions", "customers.ensure_partitions", "slow", 6 * 3600, 3600),
)


def seed(apps, schema_editor):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    entry = apps.get_model("django_celery_beat", "PeriodicTask")
    for name, task, queue, seconds, expire_seconds in ENTRIES:
        every = interval.objects.filter(every=seconds, period="seconds").first()
        entry.objects.get_or_create(
            name=name,
            defaults={
                "task": task,
                "queue": queue,
                "interval": every or interval.objects.create(every=seconds, period="seconds"),
                "expire_seconds": expire_seconds,
            },
        )


def remove(apps, schema_editor):
    names = [name for name, *_rest in ENTRIES]
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name__in=names).delete()


class Migration(migrations.Migration):
    dependencies = (("django_celery_beat", "0019_alter_periodictasks_options"),)

    operations = (migrations.RunPython(seed, remove),)
