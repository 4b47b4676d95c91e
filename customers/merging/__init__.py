"""Merging and unmerging by people: decisions are edges like any other evidence, and outweigh all of it.

What a decision would do is computed by the same function beforehand (`preview`), and undone by the opposite decision.
"""

from customers.merging.decide import Decision, exempt, join, split
from customers.merging.effects import Effect, Regrouped, as_if, register
from customers.merging.preview import Preview, preview_join, preview_split

__all__ = [
    "Decision",
    "Effect",
    "Preview",
    "Regrouped",
    "as_if",
    "exempt",
    "join",
    "preview_join",
    "preview_split",
    "register",
    "split",
]
