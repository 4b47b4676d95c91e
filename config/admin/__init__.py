"""Staff pages of what others brought along: people and groups, and Celery's schedule."""

from config.admin import beat, users

__all__ = ["beat", "users"]
