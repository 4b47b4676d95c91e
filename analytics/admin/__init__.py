"""Staff pages that need numbers: analytics stands above the apps whose things they show."""

from analytics.admin import campaign, customer, journey, maps, message, run, source  # noqa: F401 - draw the pages of the apps below
