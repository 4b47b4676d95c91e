"""Every state and reason has words: why, and what would have allowed it."""

from analytics.why.words import REASONS, REFUSALS, STATES
from channels.models import Message, Reason
from journeys.models import EntryRefusal


def test_every_state_of_a_message_has_a_sentence() -> None:
    assert set(STATES) == set(Message.State.values)


def test_every_reason_says_why_and_what_would_have_allowed_it() -> None:
    assert set(REASONS) == set(Reason.values)
    assert set(REFUSALS) == set(EntryRefusal.Reason.values)
    assert [words for words in (*REASONS.values(), *REFUSALS.values()) if not (words.why and words.allowed_if)] == []
