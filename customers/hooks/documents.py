"""A body as the document that mappings read: strict JSON, or the fields of a form as one flat row of texts."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from customers.accept import strict_json
from customers.accept.refusal import Refused

FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"


def is_taken(content_type: str) -> bool:
    return content_type in (FORM, JSON) or (content_type.startswith("application/") and content_type.endswith("+json"))


def read_document(body: bytes, content_type: str) -> Any:
    """The document in `body`, or Refused."""
    if content_type == FORM:
        return _form(body)
    document = strict_json.parse(body)
    if not isinstance(document.value, dict | list):
        raise Refused("wrong_type", "The body is an object or a list.", "Send a JSON object.")
    if not strict_json.is_sound(document, [document.value]):
        fault = strict_json.first_fault(strict_json.lossless(document))
        if fault is not None:
            raise Refused.of(fault)
    return document.value


def _form(body: bytes) -> Mapping[str, str]:
    try:
        pairs = parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=strict_json.MAX_ELEMENTS,
        )
    except UnicodeDecodeError:
        raise Refused("invalid_encoding", "The body is not UTF-8.", "Encode the body as UTF-8.") from None
    except ValueError:
        most = strict_json.MAX_ELEMENTS
        raise Refused("too_many_elements", f"More than {most} fields.", "Send several smaller ones.") from None
    fields = dict(pairs)
    if any("\0" in text for pair in fields.items() for text in pair):
        raise Refused("nul_character", "Text holds the NUL character.", "Leave it out.")
    return fields
