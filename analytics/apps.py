from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class AnalyticsConfig(AppConfig):
    name = "analytics"
    verbose_name = pgettext_lazy("layer", "Learn")
