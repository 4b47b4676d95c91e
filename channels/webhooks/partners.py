"""What a partner may have its webhooks told: what it may read at the API, and nothing that its token may not."""

from collections.abc import Collection
from typing import Final

from customers import internal
from customers.models import Scope

# Of what happens inside, by how its name begins, the scope that reads it.
_INSIDE: Final = {
    "segment.": Scope.SEGMENTS_READ.value,
    "message.": Scope.MESSAGES_READ.value,
    "task.": Scope.TASKS_READ.value,
    "entitlement.": Scope.ENTITLEMENTS_READ.value,
    "consent.": Scope.CONSENT_READ.value,
    "customer.": Scope.CUSTOMERS_READ.value,
}


def refused(name: str, scopes: Collection[str]) -> str | None:
    """The scope that is missing to be told of events of this name; "" where no scope is enough, None where it may."""
    if not internal.is_reserved(name):
        needed = Scope.CUSTOMERS_READ.value
    else:
        needed = next((scope for begins, scope in _INSIDE.items() if name.startswith(begins)), "")
    return None if needed in scopes else needed
