"""The rhythm of the house, seeded once; from then on it belongs to the admin."""

from django.db import migrations

# (name, task, queue, every so many seconds, bells older than this are void)
ENTRIES = (
    ("Drain the pipeline", "journeys.drain", "engine", 1, 2),
    ("Dispatch what is due", "channels.dispatch_due", "dispatch", 1, 2),
    ("Make calls that are due", "journeys.call_due", "calls", 1, 2),
    ("Go on with long work", "customers.work_on_jobs", "slow", 5, 5),
    ("Sweep lost leases", "channels.sweep", "dispatch", 15, 15),
    ("Count journey maps", "analytics.count_maps", "slow", 60, 60),
    ("Fold the tallies of sources", "customers.fold_tallies", "slow", 60, 60),
    ("Count segments", "customers.count_segments", "slow", 600, 600),
    ("Tell of consents that expire", "consent.tell_expiring", "slow", 600, 600),
    ("Anchor the ledgers", "consent.anchor_ledgers", "slow", 3600, 3600),
    ("Forget kept answers", "customers.prune_kept_answers", "slow", 3600, 3600),
    ("Remove imported files", "customers.prune_imports", "slow", 3600, 3600),
    ("Remove privacy files", "consent.remove_privacy_files", "slow", 3600, 3600),
    # Beat counts an interval from its own start: one of a day would never end where it is restarted daily.
    ("Prepare event partitions", "customers.ensure_partitions", "slow", 6 * 3600, 3600),
    ("Take away what is kept no longer", "customers.retain", "slow", 24 * 3600, 3600),
)
# (name, task, queue, minute, hour, bells older than this are void)
NIGHTLY = (("Look for duplicates", "customers.look_for_duplicates", "slow", "20", "3", 3600),)


def seed(apps, schema_editor):
    """What an entry of the name already says stays."""
    intervals = apps.get_model("django_celery_beat", "IntervalSchedule")
    crontabs = apps.get_model("django_celery_beat", "CrontabSchedule")
    entries = apps.get_model("django_celery_beat", "PeriodicTask").objects
    for name, task, queue, seconds, expires in ENTRIES:
        every = intervals.objects.filter(every=seconds, period="seconds").first()
        every = every or intervals.objects.create(every=seconds, period="seconds")
        told = {"task": task, "queue": queue, "interval": every, "expire_seconds": expires}
        entries.get_or_create(name=name, defaults=told)
    for name, task, queue, minute, hour, expires in NIGHTLY:
        nightly, _made = crontabs.objects.get_or_create(
            minute=minute, hour=hour, day_of_week="*", day_of_month="*", month_of_year="*", timezone="UTC"
        )
        told = {"task": task, "queue": queue, "crontab": nightly, "expire_seconds": expires}
        entries.get_or_create(name=name, defaults=told)


def remove(apps, schema_editor):
    names = [name for name, *_rest in (*ENTRIES, *NIGHTLY)]
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name__in=names).delete()


class Migration(migrations.Migration):
    dependencies = (("django_celery_beat", "0019_alter_periodictasks_options"),)

    operations = (migrations.RunPython(seed, remove),)
