"""The table people read and the file machines read."""

import json
from collections.abc import Sequence
from pathlib import Path

from bench.measure import Peak, Result, Side

RESULTS = Path(__file__).parent / "results.json"
_HEAD = ("", "median", "range", "rows", "batch", "processes", "connections", "fsync", "synchronous_commit")


def table(results: Sequence[Result | Peak]) -> str:
    lines = [line for result in results for line in _lines(result)]
    rows = [_HEAD, *(line for line in lines if isinstance(line, tuple))]
    widths = [max(len(row[n]) for row in rows) for n in range(len(_HEAD))]
    text = [_aligned(_HEAD, widths)]
    text += [line if isinstance(line, str) else _aligned(line, widths) for line in lines]
    return "\n".join(text)


def _aligned(row: tuple[str, ...], widths: Sequence[int]) -> str:
    first, *others = row
    return "  ".join(
        [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
    )


def _lines(result: Result | Peak) -> list[str | tuple[str, ...]]:
    if isinstance(result, Peak):
        verdict = f"at most {result.most:g} wanted: {'met' if result.met else 'NOT MET'}"
        return ["", f"{result.name} ({result.unit}): {verdict}", _row(result.side)]
    low, high = min(result.ratios), max(result.ratios)
    met = "met" if result.met else "NOT MET"
    wanted = f"{'at most ' if result.at_most else ''}{result.wanted:g}"
    verdict = f"ratio {result.ratio:,.2f} [{low:,.2f} to {high:,.2f}], wanted {wanted}: {met}"
    return ["", f"{result.name} ({result.unit}): {verdict}", _row(result.ours), _row(result.baseline)]


def _row(side: Side) -> tuple[str, ...]:
    return (
        f"  {side.label}",
        f"{side.median:,.0f}",
        f"{min(side.rates):,.0f} to {max(side.rates):,.0f}",
        f"{side.rows:,}",
        f"{side.batch:,}",
        str(side.processes),
        str(side.connections),
        side.durability.fsync,
        side.durability.synchronous_commit,
    )


def write(results: Sequence[Result | Peak], path: Path = RESULTS) -> None:
    path.write_text(json.dumps([_as_json(result) for result in results], indent=2) + "\n")


def _as_json(result: Result | Peak) -> dict[str, str | float]:
    if isinstance(result, Peak):
        return {"name": result.name, "value": round(max(result.side.rates), 1), "unit": result.unit}
    return {
        "name": result.name,
        "value": round(result.ours.median, 1),
        "unit": result.unit,
        "baseline": round(result.baseline.median, 1),
        "ratio": round(result.ratio, 3),
    }
