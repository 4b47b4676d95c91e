"""Why: what led to a message, a missing message or a refused entry, from the references kept with the decision."""

from analytics.why.explanation import Explanation, Fact, Move, Part, as_json
from analytics.why.message import explain_message
from analytics.why.refusal import explain_refusal
from analytics.why.run import explain_run

__all__ = ["Explanation", "Fact", "Move", "Part", "as_json", "explain_message", "explain_refusal", "explain_run"]
