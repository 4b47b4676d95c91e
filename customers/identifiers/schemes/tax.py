"""Numbers that states give to people and companies, by python-stdnum: CPF and CNPJ of Brazil, ABN of Australia."""

from types import ModuleType
from typing import ClassVar

from django.utils.translation import gettext_lazy as _
from stdnum.au import abn
from stdnum.br import cnpj, cpf
from stdnum.exceptions import ValidationError

from customers.identifiers.errors import IdentifierError, blocked, too_long
from customers.identifiers.placeholders import refuse_placeholder
from customers.identifiers.scheme import Scheme, Text

_MAX_TOLD = 40


class _Numbered(Scheme):
    """Read by a module of stdnum: without separators, its check digits right."""

    module: ClassVar[ModuleType]

    def read(self, value: str, region: str = "") -> tuple[str, str]:
        if len(value) > _MAX_TOLD:
            raise too_long(_MAX_TOLD)
        refuse_placeholder(value)
        try:
            compared = str(self.module.validate(value))
        except ValidationError:
            raise IdentifierError(
                "number_invalid", "Its digits do not add up.", "Send the number as it stands in the document."
            ) from None
        # 111.111.111-11 adds up, and is what forms are filled with by those who would rather not say.
        if len(set(compared)) == 1:
            raise blocked()
        return compared, value.strip()


class Cpf(_Numbered):
    key: ClassVar[str] = "cpf"
    label: ClassVar[Text] = _("CPF")
    module: ClassVar[ModuleType] = cpf


class Cnpj(_Numbered):
    key: ClassVar[str] = "cnpj"
    label: ClassVar[Text] = _("CNPJ")
    module: ClassVar[ModuleType] = cnpj


class Abn(_Numbered):
    key: ClassVar[str] = "abn"
    label: ClassVar[Text] = _("ABN")
    module: ClassVar[ModuleType] = abn
