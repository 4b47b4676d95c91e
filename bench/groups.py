"""What can be measured. The modules read Django's models, so they are imported once the database stands."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from importlib import import_module

from bench.measure import Peak, Result, Size


@dataclass(frozen=True, slots=True)
class Group:
    """Benchmarks that share their preparation; `module` has `measure(wanted, size)`."""

    module: str
    names: tuple[str, ...]


GROUPS = (
    Group("bench.engine", ("engine.transitions", "engine.limit")),
    Group("bench.engine.resume", ("engine.resume",)),
    Group("bench.engine.flat", ("scale.flat", "scale.memory")),
    Group("bench.latency", ("latency.event_to_message",)),
    Group("bench.simulate", ("simulate.events",)),
    Group("bench.ingest.accept", ("ingest.accept",)),
    Group("bench.ingest.pipeline", ("ingest.pipeline",)),
    Group("bench.ingest.memory", ("ingest.memory",)),
    Group("bench.consent", ("consent.check", "consent.opt_out")),
    Group("bench.channels", ("channels.gate", "dispatch.smtp", "broadcast.enrol", "broadcast.memory")),
    Group("bench.pages", ("pages.slowest",)),
    Group("bench.segments", ("segment.million", "segment.dirty")),
    Group("bench.webhooks", ("dispatch.webhook",)),
    Group("bench.render", ("render.mail",)),
)
NAMES = tuple(name for group in GROUPS for name in group.names)


def chosen(only: str) -> frozenset[str]:
    """The names asked for by `engine,ingest.accept`: whole names, or what stands before their dot."""
    asked = {part.strip() for part in only.split(",") if part.strip()}
    return frozenset(name for name in NAMES if not asked or {name, name.partition(".")[0]} & asked)


def measure(wanted: Set[str], size: Size) -> Sequence[Result | Peak]:
    results: list[Result | Peak] = []
    for group in GROUPS:
        if wanted & set(group.names):
            results += import_module(group.module).measure(wanted, size)
    return results
