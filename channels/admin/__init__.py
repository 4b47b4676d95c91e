"""The admin of the act layer, one file a subject."""

from channels.admin import connectors, exposures, messages, pacing, words
from channels.admin.stopping import StopActions

__all__ = ["StopActions", "connectors", "exposures", "messages", "pacing", "words"]
