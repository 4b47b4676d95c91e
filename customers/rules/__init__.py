"""The rule language: one JSON tree of conditions, answered by SQL over many customers and by Python for one.

    {"all": [{"leaf": "attribute", "name": "plan", "op": "eq", "value": "pro"},
             {"not": {"leaf": "event_property", "name": "cart.total", "op": "lt", "value": 50}}]}

An app adds a leaf kind by a module with a subclass of Leaf, imported in its AppConfig.ready().
"""

from customers.rules.attribute import Attribute
from customers.rules.errors import Problem, RuleError
from customers.rules.event_property import EventProperty
from customers.rules.leaf import Facts, Fragment, Holds, Leaf
from customers.rules.parse import parse
from customers.rules.rule import Rule

__all__ = [
    "Attribute",
    "EventProperty",
    "Facts",
    "Fragment",
    "Holds",
    "Leaf",
    "Problem",
    "Rule",
    "RuleError",
    "parse",
]
