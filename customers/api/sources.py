"""For which of its sources a partner speaks."""

import logging
from collections.abc import Mapping
from typing import Any

from customers.api.parameters import RefusedFilter, a_text
from customers.keys import Writer
from customers.partner import Partner
from customers.tokens import writer

logger = logging.getLogger(__name__)

SOURCE = {"source": a_text("Which of your sources speaks; needed only if the token has several.")}


def source_of(partner: Partner, given: Mapping[str, Any]) -> Writer:
    """The source named by ?source=, or the only one there is."""
    key = given.get("source")
    if key is None and len(partner.sources) > 1:
        raise RefusedFilter("missing_filter", "The token has several sources.", "Say which: ?source=key.", "source")
    found = writer(partner, key or next(iter(partner.sources)))
    if found is None:
        # Of whom it is does not matter: it is not this token's.
        logger.warning("Token %s… asked for a source that is not its own", partner.prefix)
        raise RefusedFilter(
            "unknown_source", "The token has no such source.", "Send the key of one of its sources.", "source"
        )
    return found
