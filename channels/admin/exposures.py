"""Who was drawn for which arm, to be read; what came of it is shown with the journey's numbers."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from channels.models import Exposure
from customers.admin.base import Facts, link
from customers.admin.show import when


@admin.register(Exposure)
class ExposureAdmin(Facts):
    list_display = (
        "key",
        "arm",
        "is_holdout",
        link("profile_id", "customers_profile", _("profile")),
        link("run_id", "journeys_run", _("run")),
        when("at", _("at")),
    )
    list_filter = ("key", "arm", "is_holdout", "brand")
    search_fields = ("scope_id", "key", "profile__id", "run_id")
    when_empty = _("Nobody was drawn for an arm yet. A randomized split in a live journey draws.")
