"""What the columns of a file most likely are: by their names, in both languages, and by their first values."""

import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Any, Final

from customers.imports.choices import IGNORE, As, Choices, Column
from customers.imports.rows import ID, IDENTIFIER, NAME, PART, PROPERTY, TIME, kind_of
from customers.mapping.steps import Number, StepFailed, Time
from customers.models import Brand, Import


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# By the name of a column, in small letters without accents, the kind of identifier that it holds.
_KINDS: Final = {
    "email": "email e_mail mail email_address correio endereco_de_email",
    "phone": "phone phone_number mobile cell cellphone telephone telefone celular fone whatsapp",
    "cpf": "cpf",
    "cnpj": "cnpj",
    "abn": "abn",
    "user_id": (
        "user_id userid user customer_id customerid customer client_id client usuario id_usuario cliente id_cliente"
        " cliente_id codigo_cliente codigo_do_cliente cod_cliente"
    ),
    "crm_id": "crm_id crm id_crm contact_id id_contato",
    "loyalty_card": "loyalty_card loyalty card_number cartao_fidelidade cartao fidelidade",
}
_TIMES: Final = _words(
    "occurred_at timestamp date time datetime when event_date order_date purchase_date created_at"
    " data hora data_hora quando data_do_pedido data_pedido data_da_compra data_compra criado_em"
)
_NAMES: Final = _words("event event_name evento nome_do_evento")
_IDS: Final = _words("message_id event_id id_do_evento id_evento")
_MONEY: Final = _words("total amount price revenue value dollars valor valor_total preco receita")
# In the order in which they are tried; of two that fit, the day comes first unless the brand speaks American.
FORMATS: Final = (
    "iso",
    "%d/%m/%Y",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d-%m-%Y",
    "%Y%m%d",
    "epoch_seconds",
    "epoch_milliseconds",
)
_YES_NO: Final = _words("true false yes no sim nao não")
_DECIMAL_COMMA: Final = re.compile(r"[-+]?[\d.]*\d,\d{1,2}")
_LEADING_ZERO: Final = re.compile(r"[-+]?0\d")


def guess(parent: Import, rows: Sequence[Sequence[str]], kinds: Collection[str], brand: Brand) -> Choices:
    """Choices to begin with. What nothing is known of is kept under its own name."""
    values = [[row[number].strip() for row in rows if len(row) > number] for number in range(len(parent.columns))]
    commas = sum(bool(_DECIMAL_COMMA.fullmatch(value)) for column in values for value in column)
    guesser = _Guesser(parent, kinds, brand, "," if commas else ".")
    columns = [guesser.column(name, [v for v in held if v]) for name, held in zip(parent.columns, values, strict=True)]
    return Choices(columns, zone=brand.zone, decimal=guesser.decimal, currency=brand.currency)  # type: ignore[arg-type]  # one of two signs


class _Guesser:
    def __init__(self, parent: Import, kinds: Collection[str], brand: Brand, decimal: str) -> None:
        self._kind = kind_of(parent)
        self._parts = {name: key for key, part in self._kind.parts.items() for name in (key, *part.headings.split())}
        self._zone = brand.zone
        self._is_american = brand.locale.lower() in ("en", "en-us", "en_us")
        named = _KINDS.items() if self._kind.names_people else ()
        self._kinds = {name: kind for kind, names in named if kind in kinds for name in names.split()}
        self._taken: set[str] = set()
        self.decimal = decimal

    def column(self, heading: str, values: list[str]) -> Column:
        plain = _plain(heading)
        kind = self._kinds.get(plain)
        if kind is not None and self._take(IDENTIFIER + kind):
            return Column(IDENTIFIER + kind)
        format_ = self._format(values)
        told = self._told(plain, format_)
        if told is not None:
            return told
        if not self._kind.free:
            return Column(IGNORE)
        return Column(
            self._kind.free,
            self._name(plain),
            self._as(plain, values, format_),
            format_ or "iso",
        )

    def _told(self, plain: str, format_: str) -> Column | None:
        """A field of the message, or a part that rows of this kind have, by the name of the column."""
        if TIME in self._kind.told and plain in _TIMES and format_ and self._take(TIME):
            return Column(TIME, format=format_)
        for to, names in ((NAME, _NAMES), (ID, _IDS)):
            if to in self._kind.told and plain in names and self._take(to):
                return Column(to)
        part = self._parts.get(plain, "")
        if not part or not self._take(PART + part):
            return None
        found = self._kind.parts[part]
        as_: Any = "time" if found.is_time else found.as_ or "text"
        return Column(PART + part, as_=as_, format=(format_ if found.is_time else "") or "iso")

    def _take(self, what: str) -> bool:
        """Whether no column before has it."""
        if what in self._taken:
            return False
        self._taken.add(what)
        return True

    def _name(self, plain: str) -> str:
        name = plain.lstrip("0123456789_")[:60] or "column"
        number = 1
        while not self._take(name if number == 1 else f"{name}_{number}"):
            number += 1
        return name if number == 1 else f"{name}_{number}"

    def _as(self, plain: str, values: list[str], format_: str) -> As:
        if not values:
            return "text"
        if all(value.lower() in _YES_NO for value in values):
            return "boolean"
        if self._are_numbers(values):
            return "money" if self._kind.free == PROPERTY and plain in _MONEY else "number"
        return "time" if format_ and not all(value.isdecimal() for value in values) else "text"

    def _are_numbers(self, values: list[str]) -> bool:
        # Leading zeros and long rows of digits are names, not amounts.
        if any(_LEADING_ZERO.match(value) or len(value) > 15 for value in values):
            return False
        step = Number(decimal=self.decimal, thousands="." if self.decimal == "," else ",")  # type: ignore[arg-type]  # as above
        return _fit(values, step.apply) == len(values)

    def _format(self, values: list[str]) -> str:
        if not values:
            return ""
        # A few that are wrong make no other format of the rest.
        fitting = [one for one in FORMATS if _fit(values, Time(format=one, zone=self._zone).apply) * 2 > len(values)]
        if self._is_american:
            fitting.sort(key=lambda one: one.startswith("%d/"))
        # Any number is a moment to the clocks of computers.
        return next((one for one in fitting if not one.startswith("epoch") or _are_recent(values, one)), "")


def _are_recent(values: list[str], format_: str) -> bool:
    length = 10 if format_ == "epoch_seconds" else 13
    return all(len(value) == length for value in values)


def _fit(values: list[str], read: Callable[[str], object]) -> int:
    """How many of the values can be read so."""
    count = 0
    for value in values:
        with suppress(StepFailed):
            read(value)
            count += 1
    return count


def _plain(heading: str) -> str:
    """In small letters, without accents, words held together: "E-mail do cliente" is e_mail_do_cliente."""
    bare = unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", bare).strip("_")
