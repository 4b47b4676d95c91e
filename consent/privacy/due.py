"""How long there is until a request's last day, in days of its brand's zone."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import DateField, DateTimeField, F, Func, Value
from django.db.models.functions import Cast

from consent.models import PrivacyRequest
from customers.models import Brand


def day_there(brand: Brand, at: datetime) -> date:
    return at.astimezone(ZoneInfo(brand.zone)).date()


def days_left(request: PrivacyRequest, now: datetime) -> int:
    """Below 0: the last day is over."""
    return (request.due_on - day_there(request.brand, now)).days


def today_there(now: datetime) -> Cast:
    """The day that it is in the brand's zone, to be compared with a request's last day."""
    moment = Value(now, output_field=DateTimeField())
    there = Func(F("brand__zone"), moment, function="timezone", output_field=DateTimeField())
    return Cast(there, DateField())
