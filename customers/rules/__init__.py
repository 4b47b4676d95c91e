"""The rule language: one JSON tree of conditions, answered by SQL over many customers and by Python for one.

    {"all": [{"leaf": "attribute", "name": "plan", "op": "eq", "value": "pro"},
             {"not": {"leaf": "event_property", "name": "cart.total", "op": "lt", "value": 50}}]}

An app adds a leaf kind by a module with a subclass of Leaf, imported in its AppConfig.ready().
"""

from customers.rules.attribute import Attribute
from customers.rules.errors import Problem, RuleError
from customers.rules.event_count import EventCount
from customers.rules.event_property import EventProperty
from customers.rules.event_recency import EventRecency
from customers.rules.happened import Happened
from customers.rules.identifier import HasIdentifier
from customers.rules.in_segment import InSegment
from customers.rules.leaf import MOMENT, PEOPLE, WALK, Facts, Holds, Leaf, leaf_kinds
from customers.rules.parse import parse
from customers.rules.reading import Fragment, Reading
from customers.rules.rule import Rule

__all__ = [
    "MOMENT",
    "PEOPLE",
    "WALK",
    "Attribute",
    "EventCount",
    "EventProperty",
    "EventRecency",
    "Facts",
    "Fragment",
    "Happened",
    "HasIdentifier",
    "Holds",
    "InSegment",
    "Leaf",
    "Problem",
    "Reading",
    "Rule",
    "RuleError",
    "leaf_kinds",
    "parse",
]
