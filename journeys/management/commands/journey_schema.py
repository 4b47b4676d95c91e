"""`manage.py journey_schema`: the JSON Schema of a journey's file, for editors that check while one writes."""

import json
from typing import Any

from django.core.management.base import BaseCommand

from journeys.code.schema import schema


class Command(BaseCommand):
    help = "Write the JSON Schema of a journey's file."
    requires_system_checks: Any = ()

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps(schema(), indent=2, ensure_ascii=False))
