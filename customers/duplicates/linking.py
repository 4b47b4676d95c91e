"""Pairs of records that look like one person, by Splink in a DuckDB that lives in this process's memory only."""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from typing import Any, Final

from customers.duplicates import model

# The pairs worth a person's time: on Febrl's made-up people one in ten thousand of them is wrong.
LEAST: Final = 0.9
MEMORY: Final = "512MB"
# One thread and one seed: the same records give the same pairs.
_SEED: Final = 20_260_302
_SAMPLE: Final = 1_000_000
_CHUNK: Final = 5_000
# Fewer pairs than these teach nothing that holds.
_FEWEST: Final = 300
_ID: Final = "unique_id"

# A value of each of the model's columns that is known, and the record's own id.
Record = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far one comparison speaks for one person, in bits. `level` is 0 where the values differ, `of` where they
    are the same, and -1 where one is not known."""

    on: str
    weight: float
    level: int
    of: int


@dataclass(frozen=True, slots=True)
class Match:
    """Two records by their ids, the lesser first."""

    low: str
    high: str
    probability: float
    evidence: tuple[Agreement, ...]


class NothingToCompare(ValueError):
    """The records have too little in common to learn from: too few of them, or of their values."""


def is_available() -> bool:
    """Whether the extra `duplicates` is installed."""
    return find_spec("splink") is not None and find_spec("duckdb") is not None


def find(records: Iterable[Record], *, least: float = LEAST, most: int | None = None) -> list[Match]:
    """The pairs at least this probable, the most probable first, and no more than `most` of them.

    Raises NothingToCompare.
    """
    connection = _connect()
    try:
        columns = _load(connection, records)
        try:
            return _pairs(connection, _learnt(connection, columns, in_rounds=True), least, most)
        except _not_learnable():
            # So few records are alike that what was learnt of them is no number: then by what is usual.
            return _pairs(connection, _learnt(connection, columns, in_rounds=False), least, most)
    finally:
        connection.close()


def _not_learnable() -> tuple[type[Exception], ...]:
    from splink.internals.exceptions import EMTrainingException

    return EMTrainingException, ValueError


def _connect() -> Any:
    import duckdb

    # Nothing personal leaves the process: no spilling to disk, no files, no network.
    options: dict[str, Any] = {
        "memory_limit": MEMORY,
        "threads": 1,
        "temp_directory": "",
        "autoload_known_extensions": False,
    }
    return duckdb.connect(":memory:", config=options)


def _load(connection: Any, records: Iterable[Record]) -> frozenset[str]:
    """Put the records into a table, some at a time; return which columns hold anything."""
    names = (_ID, *model.COLUMNS, model.NAME_KEY)
    connection.execute(f"CREATE TABLE records ({', '.join(f'{name} VARCHAR' for name in names)})")
    for chunk in _chunks(records):
        _append(connection, names, chunk)
    counts = connection.execute(f"SELECT {', '.join(f'count(DISTINCT {name})' for name in names)} FROM records")
    columns = {name for name, count in zip(names, counts.fetchall()[0], strict=True) if count > 1} - {_ID}
    blocks = [block for block in model.BLOCKS if model.present(columns, block)]
    if not blocks:
        raise NothingToCompare
    # A block whose records are too many is none: it would cost their square, and say nothing.
    shown = ", ".join(
        f"CASE WHEN {known(block)} AND count(*) OVER (PARTITION BY {', '.join(block)}) <= {model.LARGEST_BLOCK}"
        f" THEN concat_ws(chr(31), {', '.join(block)}) END AS {name_of(block)}"
        for block in {*blocks, *_fitting(model.ROUNDS, columns), *_fitting(model.CERTAIN, columns)}
    )
    connection.execute(f"CREATE TABLE people AS SELECT *, {shown} FROM records ORDER BY {_ID}")
    connection.execute("DROP TABLE records")
    return frozenset(columns)


def known(block: Sequence[str]) -> str:
    return " AND ".join(f"{name} IS NOT NULL" for name in block)


def name_of(block: Sequence[str]) -> str:
    return "block_" + "_".join(block)


def _fitting(blocks: Iterable[tuple[str, ...]], columns: Collection[str]) -> list[tuple[str, ...]]:
    return [block for block in blocks if model.present(columns, block)]


def _chunks(records: Iterable[Record]) -> Iterator[list[Record]]:
    rows = iter(records)
    while chunk := list(islice(rows, _CHUNK)):
        yield chunk


def _append(connection: Any, names: Sequence[str], chunk: Sequence[Record]) -> None:
    import pyarrow

    columns = {name: pyarrow.array([record.get(name) for record in chunk], pyarrow.string()) for name in names}
    connection.register("chunk", pyarrow.table(columns))
    connection.execute("INSERT INTO records SELECT * FROM chunk")
    connection.unregister("chunk")


def _linker(connection: Any, columns: Collection[str]) -> Any:
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    api = DuckDBAPI(connection)
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name=_ID,
        comparisons=model.comparisons(columns),
        blocking_rules_to_generate_predictions=[block_on(name_of(one)) for one in _fitting(model.BLOCKS, columns)],
        retain_matching_columns=True,
        retain_intermediate_calculation_columns=True,
    )
    # It would tell of every step it takes.
    return Linker(api.register("people"), settings, log_level=logging.ERROR)


def _learnt(connection: Any, columns: Collection[str], *, in_rounds: bool) -> Any:
    """The weights of agreement and disagreement, from the records alone; without rounds those of agreement are the
    usual ones."""
    from splink import block_on

    linker = _linker(connection, columns)
    certain = _fitting(model.CERTAIN, columns)
    training = linker.training
    if any(_pairs_of(connection, block) for block in certain):
        rules = [block_on(name_of(block)) for block in certain]
        training.estimate_probability_two_random_records_match(rules, recall=model.RECALL)
    training.estimate_u_using_random_sampling(max_pairs=_SAMPLE, seed=_SEED)
    for block in _fitting(model.ROUNDS, columns) if in_rounds else ():
        if _pairs_of(connection, block) >= _FEWEST:
            # By its columns as well, so that it is known what the block leaves nothing to learn of.
            training.estimate_parameters_using_expectation_maximisation(block_on(*block, name_of(block)))
    return linker


def _pairs_of(connection: Any, block: tuple[str, ...]) -> int:
    name = name_of(block)
    counted = f"SELECT count(*) AS n FROM people WHERE {name} IS NOT NULL GROUP BY {name}"
    return int(connection.execute(f"SELECT coalesce(sum(n * (n - 1) / 2), 0) FROM ({counted})").fetchall()[0][0])


def _pairs(connection: Any, linker: Any, least: float, most: int | None) -> list[Match]:
    found = linker.inference.predict(threshold_match_probability=least)
    compared = [(one.output_column_name, _top(one)) for one in linker._settings_obj.comparisons]
    values = ", ".join(f"mw_{name}, gamma_{name}" for name, _of in compared)
    rows = connection.execute(
        f"SELECT {_ID}_l, {_ID}_r, match_probability, {values} FROM {found.physical_name}"
        f" ORDER BY match_weight DESC, 1, 2 {f'LIMIT {most}' if most is not None else ''}"
    )
    matches = []
    for one, other, probability, *told in rows.fetchall():
        evidence = tuple(
            Agreement(name, round(float(weight), 2), int(level), of)
            for (name, of), weight, level in zip(compared, told[::2], told[1::2], strict=True)
        )
        low, high = sorted((one, other))
        matches.append(Match(low, high, float(probability), evidence))
    return matches


def _top(comparison: Any) -> int:
    return int(max(level.comparison_vector_value for level in comparison.comparison_levels))
