"""What makes two records look like one person: the comparisons and blocking rules given to Splink.

Weights are learnt from the records themselves, without labels; nothing here is tuned to one data set.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final

# What is compared, in the order in which people read it. Each is optional: a comparison without values is left out.
FIRST_NAME: Final = "first_name"
LAST_NAME: Final = "last_name"
BIRTH_DATE: Final = "birth_date"
STREET: Final = "street"
CITY: Final = "city"
POSTCODE: Final = "postcode"
EMAIL: Final = "email"
PHONE: Final = "phone"
TAX_ID: Final = "tax_id"
COLUMNS: Final = (FIRST_NAME, LAST_NAME, BIRTH_DATE, STREET, CITY, POSTCODE, EMAIL, PHONE, TAX_ID)
# Made of the others: the two names in one order, so that it does not matter which was written first.
NAME_KEY: Final = "name_key"

NAMES: Final = "names"
# Which columns each comparison reads.
READS: Final[dict[str, tuple[str, ...]]] = {
    NAMES: (FIRST_NAME, LAST_NAME),
    BIRTH_DATE: (BIRTH_DATE,),
    STREET: (STREET,),
    CITY: (CITY,),
    POSTCODE: (POSTCODE,),
    EMAIL: (EMAIL,),
    PHONE: (PHONE,),
    TAX_ID: (TAX_ID,),
}
# Pairs that share all of any of these are looked at, and no others.
BLOCKS: Final[tuple[tuple[str, ...], ...]] = (
    (TAX_ID,),
    (EMAIL,),
    (PHONE,),
    (NAME_KEY,),
    (BIRTH_DATE,),
    (FIRST_NAME, POSTCODE),
    (LAST_NAME, POSTCODE),
    (FIRST_NAME, CITY),
    (LAST_NAME, CITY),
    (STREET, POSTCODE),
    (STREET, CITY),
)
# What is learnt of each comparison is learnt among pairs that share something else, so there are several rounds.
ROUNDS: Final[tuple[tuple[str, ...], ...]] = ((BIRTH_DATE,), (NAME_KEY,), (LAST_NAME, POSTCODE), (EMAIL,), (PHONE,))
# Almost certainly one person: from how many of these there are it is guessed how many pairs there are in all.
CERTAIN: Final[tuple[tuple[str, ...], ...]] = (
    (TAX_ID,),
    (NAME_KEY, BIRTH_DATE),
    (NAME_KEY, POSTCODE),
    (NAME_KEY, EMAIL),
    (NAME_KEY, PHONE),
    (BIRTH_DATE, STREET),
)
# Which part of the pairs those are; a rough guess is enough, as it is learnt from there.
RECALL: Final = 0.7
# A value shared by more records than these tells nobody from anybody: a default birth date, a company's phone.
LARGEST_BLOCK: Final = 300


def present(columns: Collection[str], needed: Sequence[str]) -> bool:
    return all(name in columns for name in needed)


def comparisons(columns: Collection[str]) -> list[Any]:
    """Splink's comparisons over the columns that hold anything."""
    # Splink is an extra: nobody needs it who does not look for duplicates.
    import splink.comparison_level_library as levels
    import splink.comparison_library as library

    def text(column: str, *thresholds: float) -> Any:
        return library.JaroWinklerAtThresholds(column, list(thresholds))

    def near(column: str) -> Any:
        return library.DamerauLevenshteinAtThresholds(column, [1, 2])

    made: dict[str, Any] = {}
    if present(columns, READS[NAMES]):
        made[NAMES] = _names(levels, library)
    made |= {
        BIRTH_DATE: near(BIRTH_DATE),
        STREET: text(STREET, 0.92, 0.8),
        CITY: text(CITY, 0.9),
        POSTCODE: near(POSTCODE),
        EMAIL: library.EmailComparison(EMAIL),
        PHONE: near(PHONE),
        TAX_ID: near(TAX_ID),
    }
    return [one for name, one in made.items() if present(columns, READS[name])]


def _names(levels: Any, library: Any) -> Any:
    """First and last name together, also the wrong way round: one of them alone says little."""
    return library.CustomComparison(
        output_column_name=NAMES,
        comparison_levels=[
            {
                **_level("not known", " OR ".join(f'"{n}_{side}" IS NULL' for n in READS[NAMES] for side in "lr")),
                **_NULL,
            },
            _level("both the same", '"first_name_l" = "first_name_r" AND "last_name_l" = "last_name_r"'),
            _level("swapped", f'"{NAME_KEY}_l" = "{NAME_KEY}_r"'),
            _level("both alike", f"{_alike(FIRST_NAME, FIRST_NAME)} AND {_alike(LAST_NAME, LAST_NAME)}"),
            _level("alike and swapped", f"{_alike(FIRST_NAME, LAST_NAME)} AND {_alike(LAST_NAME, FIRST_NAME)}"),
            _level("one the same", '"first_name_l" = "first_name_r" OR "last_name_l" = "last_name_r"'),
            _level("one alike", f"{_alike(FIRST_NAME, FIRST_NAME)} OR {_alike(LAST_NAME, LAST_NAME)}"),
            levels.ElseLevel(),
        ],
    )


_NULL: Final = {"is_null_level": True}


def _level(label: str, condition: str) -> dict[str, Any]:
    return {"sql_condition": condition, "label_for_charts": label}


def _alike(one: str, other: str) -> str:
    return f'jaro_winkler_similarity("{one}_l", "{other}_r") >= 0.88'
