"""Phone numbers in E.164, by the numbering plans that the phonenumbers library keeps."""

import re
from functools import lru_cache
from typing import ClassVar

import phonenumbers
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

from customers.identifiers.errors import IdentifierError, too_long
from customers.identifiers.placeholders import refuse_placeholder
from customers.identifiers.scheme import Scheme, Text

_MAX_TOLD = 60
_MOBILE = frozenset((PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE))
# Numbers of a person or a household. All others cost their caller money or reach a company: pumping such numbers
# with messages is how sign-up forms are robbed.
_ALLOWED = _MOBILE | {PhoneNumberType.FIXED_LINE, PhoneNumberType.VOIP, PhoneNumberType.PERSONAL_NUMBER}
# Before 2012 to 2016 Brazilian mobile numbers had eight digits, the first of them 6 to 9.
_OLD_BRAZILIAN_MOBILE = re.compile(r"[1-9][0-9][6-9][0-9]{7}")
_BRAZIL = 55


class Phone(Scheme):
    key: ClassVar[str] = "phone"
    label: ClassVar[Text] = _("phone number")

    def read(self, value: str, region: str = "") -> tuple[str, str]:
        if len(value) > _MAX_TOLD:
            raise too_long(_MAX_TOLD)
        refuse_placeholder(value)
        return _read(value.strip(" "), region, tuple(settings.TEST_PHONE_PREFIXES)), value.strip(" ")


def is_mobile(number: str) -> bool:
    """Whether an SMS could arrive there. Some plans, North America's for one, do not tell mobile from fixed."""
    return number.startswith(tuple(settings.TEST_PHONE_PREFIXES)) or _is_mobile(number)


@lru_cache(maxsize=10_000)
def _is_mobile(number: str) -> bool:
    return phonenumbers.number_type(phonenumbers.parse(number)) in _MOBILE


@lru_cache(maxsize=10_000)
def _read(value: str, region: str, for_tests: tuple[str, ...]) -> str:
    try:
        number = phonenumbers.parse(value, region or None)
    except phonenumbers.NumberParseException as error:
        if error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE and not region:
            raise IdentifierError(
                "phone_without_country",
                "A number without its country.",
                "Send it as +country and number, or set the source's default country.",
            ) from None
        raise _invalid("Send it as +country and number.") from None
    if number.extension:
        raise IdentifierError(
            "phone_with_extension", "A number with an extension reaches no person directly.", "Send it without."
        )
    told = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if told.startswith(for_tests):
        return told
    if not phonenumbers.is_valid_number(number):
        raise _why_invalid(number, region)
    if phonenumbers.number_type(number) not in _ALLOWED:
        raise _wrong_type()
    return told


def _why_invalid(number: PhoneNumber, region: str) -> IdentifierError:
    national = str(number.national_number)
    if number.country_code == _BRAZIL and _OLD_BRAZILIAN_MOBILE.fullmatch(national):
        return _invalid("Add the 9 that mobile numbers in Brazil begin with.")
    if region and phonenumbers.is_possible_short_number_for_region(number, region):
        return _wrong_type()
    return _invalid("Send it as +country and number.")


def _invalid(hint: str) -> IdentifierError:
    return IdentifierError("phone_invalid", "No number that its country's plan has.", hint)


def _wrong_type() -> IdentifierError:
    return IdentifierError(
        "phone_type_not_allowed",
        "An emergency, service, toll-free or premium number belongs to nobody.",
        "Send the person's own number.",
    )
