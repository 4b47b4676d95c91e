"""The product's settings, and for a control build whatever breaks it; the lab's processes run with these."""

from config.settings import *  # noqa: F403 - all of them, as they are
from config.settings import INSTALLED_APPS as _APPS

INSTALLED_APPS = [*_APPS, "tests.promises.sabotage.Sabotage"]
