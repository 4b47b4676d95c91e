"""The journeys of the recorded histories: every type of step, and what each of them can be told."""

from typing import Any

from journeys.code.cases import unbound
from journeys.code.file import JourneyFile
from journeys.version import Version
from tests.journeys.histories import HERE, record
from tests.journeys.stage import message, welcome

_ON = "not_activated"


def version_of(key: str, document: dict[str, Any]) -> Version:
    return unbound(JourneyFile(key=key, name=key, definition=document))


def _exit(id_: str, state: str) -> dict[str, Any]:
    return {"type": "exit", "id": id_, "state": state}


def _trait(name: str, op: str, value: Any) -> dict[str, Any]:
    return {"leaf": "attribute", "name": name, "op": op, "value": value}


_ENDS = [_exit("done", "activated"), _exit("lost", "lost")]
_EARLY = {"event": "unsubscribed", "state": "lost"}

# By name, the document and what may happen to people in it; the first is how they come in.
JOURNEYS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "welcome": (
        welcome(entry={"event": "signed.up", "reentry": "after", "reentry_after": "P10D"}, exit_events=[_EARLY]),
        ("signed.up", "login.succeeded", "unsubscribed", "signed.up"),
    ),
    "cart": (
        welcome(
            entry={
                "event": "cart.created",
                "key": "cart_id",
                "reentry": "always",
                "rule": {"leaf": "event_property", "name": "total", "op": "ge", "value": 50},
            },
            steps=[
                {
                    "type": "hold",
                    "id": "hold",
                    "state": _ON,
                    "branches": [{"event": "order.completed", "key": "cart_id", "next": "done"}],
                    "timeout": {"after": "P3D", "next": "remind"},
                    "reset": {"event": "cart.changed", "key": "cart_id", "most": 2},
                },
                message("remind", next="wait"),
                {
                    "type": "hold",
                    "id": "wait",
                    "state": _ON,
                    "since": "step",
                    "branches": [{"event": "order.completed", "key": "any", "next": "done"}],
                    "timeout": {"after": "P1D", "next": "lost"},
                },
                *_ENDS,
            ],
            exit_rules=[{"rule": _trait("plan", "eq", "team"), "state": "lost"}],
        ),
        ("cart.created", "order.completed", "cart.changed", "cart.created"),
    ),
    "dates": (
        welcome(
            entry={"event": "booked", "reentry": "always", "guard": "none", "guard_reason": "no marketing"},
            steps=[
                {
                    "type": "delay",
                    "id": "before",
                    "state": _ON,
                    "until": {"source": "event", "name": "starts_at", "days": -1, "time": "09:00", "past": "later"},
                    "next": "note",
                },
                message("note", next="later"),
                {"type": "delay", "id": "later", "state": _ON, "on_calendar": {"days": 3}, "next": "office"},
                {
                    "type": "delay",
                    "id": "office",
                    "state": _ON,
                    "hours": {"days": "mon-fri", "opens": "09:00", "closes": "17:30"},
                    "next": "renewal",
                },
                {
                    "type": "delay",
                    "id": "renewal",
                    "state": _ON,
                    "until": {"source": "trait", "name": "renews_on", "past": "lost"},
                    "next": "done",
                },
                *_ENDS,
            ],
            exit_events=[{"event": "cancelled", "state": "lost"}],
        ),
        ("booked", "cancelled", "seen", "booked"),
    ),
    "ways": (
        welcome(
            entry={"event": "trial.began", "reentry": "always"},
            steps=[
                {
                    "type": "split",
                    "id": "plan",
                    "state": _ON,
                    "branches": [
                        {"rule": _trait("plan", "eq", "pro"), "next": "arms"},
                        {"rule": {"all": [_trait("visits", "ge", 10)]}, "next": "fresh"},
                    ],
                    "otherwise": "pause",
                },
                {
                    "type": "random_split",
                    "id": "arms",
                    "state": _ON,
                    "arms": [
                        {"name": "a", "share": 45, "next": "first"},
                        {"name": "b", "share": 45, "next": "pause"},
                        {"name": "none", "share": 10, "holdout": True, "next": "lost"},
                    ],
                },
                {
                    "type": "random_split",
                    "id": "fresh",
                    "state": _ON,
                    "unit": "run",
                    "arms": [
                        {"name": "a", "share": 50, "next": "first"},
                        {"name": "b", "share": 50, "next": "pause"},
                    ],
                },
                message("first", next="pause"),
                {"type": "delay", "id": "pause", "state": _ON, "after": "PT36H", "next": "again"},
                {
                    "type": "split",
                    "id": "again",
                    "state": _ON,
                    "branches": [{"rule": {"not": _trait("plan", "eq", "free")}, "next": "done"}],
                    "otherwise": "lost",
                },
                *_ENDS,
            ],
        ),
        ("trial.began", "trial.began", "seen"),
    ),
    "best": (
        welcome(
            entry={"event": "asked", "reentry": "after", "reentry_after": "P5D"},
            steps=[
                message("answer", next="weigh"),
                {
                    "type": "hold",
                    "id": "weigh",
                    "state": _ON,
                    "take": "best",
                    "branches": [
                        {
                            "event": "bought",
                            "rule": {"leaf": "event_property", "name": "total", "op": "gt", "value": 150},
                            "next": "done",
                        },
                        {"event": "bought", "next": "thanks"},
                        {"event": "looked", "rule": _trait("visits", "gt", 5), "next": "thanks"},
                    ],
                    "timeout": {"after": "P7D", "next": "lost"},
                },
                message("thanks", next="done", cancel_on=[]),
                *_ENDS,
            ],
            exit_events=[_EARLY],
        ),
        ("asked", "bought", "looked", "unsubscribed", "asked"),
    ),
    "calls": (
        welcome(
            entry={"event": "lead.created", "reentry": "always"},
            variables=[{"name": "score", "kind": "number", "default": 0}, {"name": "tier", "kind": "text"}],
            steps=[
                # Long enough for people to change their minds about it.
                {"type": "delay", "id": "rest", "state": _ON, "after": "P12D", "next": "ask"},
                {
                    "type": "webhook",
                    "id": "ask",
                    "state": _ON,
                    "connector": "crm",
                    "path": "/leads",
                    "data": [{"name": "plan", "trait": "plan"}, {"name": "cart", "property": "cart_id"}],
                    "reply": [
                        {"variable": "score", "pointer": "/score"},
                        {"variable": "tier", "pointer": "/tier", "optional": True},
                    ],
                    "retry": [
                        {"errors": ["status_429", "status_503"], "interval": "PT10M", "max_attempts": 2},
                        {"errors": ["timeout"], "interval": "PT30S", "max_attempts": 3, "jitter": "full"},
                    ],
                    "catch": [
                        {"errors": ["status_404"], "next": "lost"},
                        {"errors": ["status_5xx", "timeout", "expired", "not_permitted"], "next": "note"},
                    ],
                    "within": "PT2H",
                    "next": "how",
                },
                {
                    "type": "split",
                    "id": "how",
                    "state": _ON,
                    "branches": [
                        {"rule": {"leaf": "variable", "name": "tier", "op": "eq", "value": "gold"}, "next": "done"},
                        {"rule": {"leaf": "variable", "name": "score", "op": "ge", "value": 50}, "next": "note"},
                    ],
                    "otherwise": "lost",
                },
                message("note", next="done"),
                *_ENDS,
            ],
            exit_events=[_EARLY],
        ),
        ("lead.created", "unsubscribed", "seen", "lead.created"),
    ),
    "calendar": (
        welcome(
            entry={
                "kind": "schedule",
                "segment": "vip",
                "schedule": {
                    "every": "week",
                    "days": "sun,thu",
                    "starts": "2026-03-01",
                    "at": "02:30",
                    "zone": "Europe/Berlin",
                },
                "reentry": "after",
                "reentry_after": "P10D",
                "rule": _trait("visits", "ge", 5),
            },
            steps=[
                message("note", next="hold"),
                {
                    "type": "hold",
                    "id": "hold",
                    "state": _ON,
                    "branches": [{"event": "order.completed", "next": "done"}],
                    "timeout": {"after": "P2D", "next": "lost"},
                },
                *_ENDS,
            ],
        ),
        ("seen", "order.completed", "order.completed"),
    ),
    "handing": (
        welcome(
            entry={"event": "signed.up", "reentry": "always"},
            steps=[
                {
                    "type": "hold",
                    "id": "hold",
                    "state": _ON,
                    "branches": [{"event": "login.succeeded", "next": "over"}],
                    "timeout": {"after": "P2D", "next": "again"},
                },
                {
                    "type": "go_to",
                    "id": "over",
                    "state": _ON,
                    "journey": "club",
                    "next": "done",
                    "refused": "remind",
                    "data": [{"name": "cart", "property": "cart_id"}, {"name": "from", "value": "welcome"}],
                },
                {"type": "go_to", "id": "again", "state": _ON, "journey": "care", "next": "done", "refused": "lost"},
                message("remind", next="again"),
                *_ENDS,
            ],
            exit_events=[_EARLY],
        ),
        ("signed.up", "login.succeeded", "unsubscribed", "signed.up"),
    ),
}


def main() -> None:
    """Record them all anew."""
    HERE.mkdir(exist_ok=True)
    for name, (document, names) in JOURNEYS.items():
        lines = record(name, document, version_of(name, document), names)
        (HERE / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
