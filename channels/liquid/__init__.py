"""The template language: python-liquid, in bounds of our own, with filters and tags for messages."""

from channels.liquid.bounds import Budget, LimitError
from channels.liquid.environment import ADDRESS, HTML, PLAIN, Words, compiled
from channels.liquid.reader import Reader
from channels.liquid.source import MAX_SOURCE, SourceError
from channels.liquid.tags import Abort

__all__ = [
    "ADDRESS",
    "HTML",
    "MAX_SOURCE",
    "PLAIN",
    "Abort",
    "Budget",
    "LimitError",
    "Reader",
    "SourceError",
    "Words",
    "compiled",
]
