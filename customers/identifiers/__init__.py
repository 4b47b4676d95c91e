"""How identifiers are read: what makes two spellings one value, and what is no identifier at all.

A **scheme** is the way values are read (e-mail, phone, CPF …), one file each in `schemes`; a **kind** is what an
installation calls its identifiers and how it treats them, and names the scheme it is read by (`customers.kinds`).
"""

from customers.identifiers.errors import IdentifierError
from customers.identifiers.scheme import Scheme, scheme, schemes

__all__ = ["IdentifierError", "Scheme", "scheme", "schemes"]
