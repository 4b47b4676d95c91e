"""Files that nobody goes on with are removed: they are full of people."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from customers.imports.job import forget_file
from customers.models import Import, Job


def prune(now: datetime) -> int:
    """Remove files that nobody goes on with; how many it were. Refused rows go with all that is kept for a time."""
    kept = Import.objects.filter(removed_at=None)
    # What stopped half way can be gone on with for as long as what was never begun.
    is_old = Q(created_at__lt=now - timedelta(days=settings.IMPORT_KEEP_DAYS))
    is_under_way = Q(job__state__in=(Job.State.WAITING, Job.State.WORKING))
    old = list(kept.filter(is_old).exclude(is_under_way))
    for parent in old:
        forget_file(parent, now)
    return len(old)
