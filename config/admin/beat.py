"""Celery's schedule: beat rings by it, and it belongs to whoever runs the installation."""

from typing import Any

from celery import current_app
from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_celery_beat import admin as stock
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.widgets import UnfoldAdminSelectWidget

from customers.admin.base import AnyAdmin, AnyTabular
from customers.admin.show import flag, when

for _model in (ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule):
    admin.site.unregister(_model)


class PeriodicTaskForm(stock.PeriodicTaskForm):
    """One choice among the tasks there are, instead of a choice and a text of which one overrules the other."""

    regtask = None
    task = forms.ChoiceField(label=_("task"), widget=UnfoldAdminSelectWidget())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "task" in self.fields:
            current_app.loader.import_default_modules()
            known = {name for name in current_app.tasks if not name.startswith("celery.")}
            # One that is no longer known is shown for what it is, and stays until somebody chooses another.
            known |= {self.instance.task} - {""}
            self.fields["task"].choices = [(name, name) for name in sorted(known)]


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(stock.PeriodicTaskAdmin, AnyAdmin):
    form = PeriodicTaskForm
    # The stock one brings a script that our content policy does not let run.
    change_form_template = None
    date_hierarchy = None
    list_display = (
        "name",
        "task",
        "rhythm",
        flag("enabled", (pgettext_lazy("schedule", "on"), "good"), (pgettext_lazy("schedule", "off"), "warn")),
        when("last_run_at", _("last rung")),
        "total_run_count",
    )
    list_filter = ("enabled", "one_off")
    search_help_text = _("A part of the name or of the task.")
    when_empty = _("Nothing is rung by the clock.")
    fieldsets = (
        (None, {"fields": ("name", "task", "enabled", "description")}),
        (
            _("Schedule"),
            {
                "fields": ("interval", "crontab", "solar", "clocked", "start_time", "one_off", "last_run_at"),
                "description": _(
                    "Exactly one of the four: every so often, by the calendar, by the sun, or at one time."
                ),
            },
        ),
        (_("Arguments"), {"fields": ("args", "kwargs"), "classes": ("collapse",)}),
        (
            _("Delivery"),
            {
                "fields": ("expires", "expire_seconds", "queue", "exchange", "routing_key", "priority", "headers"),
                "classes": ("collapse",),
            },
        ),
    )
    readonly_fields = ("last_run_at",)

    @admin.display(description=_("schedule"))
    def rhythm(self, task: PeriodicTask) -> str:
        return str(task.scheduler or "")


class UsesInline(stock.PeriodicTaskInline, AnyTabular):
    """The tasks that go by a schedule."""


class ScheduleAdmin(AnyAdmin):
    inlines = (UsesInline,)


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(ScheduleAdmin):
    list_display = ("__str__", "every", "period")


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(ScheduleAdmin):
    list_display = ("__str__", "human_readable")
    fields = ("human_readable", "minute", "hour", "day_of_month", "month_of_year", "day_of_week", "timezone")
    readonly_fields = ("human_readable",)


@admin.register(ClockedSchedule)
class ClockedScheduleAdmin(ScheduleAdmin):
    list_display = ("clocked_time",)


@admin.register(SolarSchedule)
class SolarScheduleAdmin(ScheduleAdmin):
    list_display = ("event", "latitude", "longitude")
