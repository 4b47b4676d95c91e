"""What a message would say to somebody, before anything is sent: rendered as ever, over what was known of them then."""

from channels.previews.make import Ask, Shown, show
from channels.previews.somebody import NOBODY, Somebody, find

__all__ = ["NOBODY", "Ask", "Shown", "Somebody", "find", "show"]
