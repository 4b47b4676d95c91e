"""Second accounts are found by a telephone and by how rare what agrees is; what merely looks alike is not."""

from config.demo.doubles import find
from customers.duplicates.records import record

CITIES = ("recife", "natal", "olinda", "santos")


def people(count: int = 1500) -> list[dict[str, str]]:
    return [
        {
            "first_name": f"name{number % 50}",
            "last_name": f"family{number % 47}",
            "city": CITIES[number % 4],
            "phone": f"+55119{number:08}",
            "email": f"p{number}@example.com",
        }
        for number in range(count)
    ]


def found(rows: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(one.low, one.high) for one in find([record(f"{n:04}", row) for n, row in enumerate(rows)])]


def test_a_second_account_with_the_same_telephone_is_found() -> None:
    rows = people()
    [match] = find([record(f"{n:04}", row) for n, row in enumerate([*rows, {**rows[7], "email": "x@example.com"}])])
    assert (match.low, match.high) == ("0007", "1500")
    assert 0.9 <= match.probability < 1
    assert [(one.on, one.level, one.of) for one in match.evidence] == [
        ("names", 6, 6),
        ("city", 2, 2),
        ("phone", 3, 3),
        ("email", 0, 4),
    ]


def test_a_telephone_that_two_people_share_is_not_enough() -> None:
    rows = people()
    assert found([*rows, {**rows[8], "phone": rows[7]["phone"], "email": "x@example.com"}]) == []


def test_one_name_in_one_city_is_not_enough() -> None:
    rows = people()
    assert found([*rows, {**rows[7], "phone": "+5511900009999", "email": "x@example.com"}]) == []


def test_nobody_is_nobody_s_double() -> None:
    assert find([]) == []
