"""What our staff pages show as lists do: times by their distance, documents laid out, changes in words."""

from datetime import datetime
from typing import Any

from django import template
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from customers import audit, looks
from customers.models import AuditEntry

register = template.Library()


@register.simple_tag
def moment(at: datetime | None, now: datetime | None = None) -> SafeString | str:
    return looks.moment(at, now)


@register.simple_tag
def document(value: Any) -> SafeString | str:
    return looks.document(value)


@register.simple_tag
def audit_words(entry: AuditEntry) -> str:
    return f"{capfirst(str(audit.words(entry.action)))}: {entry.object_type}"
