"""Mapping: from any JSON document, or a flat row of texts, to events of our own dialect. Pure: no row is read."""

from customers.mapping.apply import Mapped as Mapped
from customers.mapping.apply import Result as Result
from customers.mapping.apply import apply as apply
from customers.mapping.document import EventMapping as EventMapping
from customers.mapping.document import EventRule as EventRule
from customers.mapping.document import Test as Test
from customers.mapping.document import Value as Value
from customers.mapping.problems import MappingError as MappingError
from customers.mapping.problems import Problem as Problem
from customers.mapping.read import parse as parse
from customers.mapping.suggest import suggest as suggest
