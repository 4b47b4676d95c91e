"""Who takes part, and what each of them may expect: everything the checks count follows from here."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

PEOPLE: Final = 1000
_SILENT: Final = range(50)
_LATE: Final = range(50, 150)
_SHOPPERS: Final = range(200, 220)
_TRAVELLERS: Final = range(300, 320)
_SLOW: Final = 999


@dataclass(frozen=True, slots=True)
class Person:
    """`grant`: never, before signing up, or in the same breath. `slow` has a reminder that waits in line."""

    number: int
    grant: str
    logs_in: bool
    carts: tuple[str, ...]
    slow: bool
    # Of the telephone and its app; whoever has them is written to there as well.
    phone: str = ""
    device: str = ""

    @property
    def user_id(self) -> str:
        return f"user-{self.number:04}"

    @property
    def email(self) -> str:
        return f"p{self.number:04}@people.example.com"

    @property
    def addresses(self) -> tuple[str, ...]:
        """Beside the mail's: as SMS, WhatsApp and Firebase name them."""
        return (self.phone, self.phone.removeprefix("+"), self.device)

    @property
    def entered(self) -> bool:
        return self.grant != "never"


def make_person(number: int) -> Person:
    slow, travels = number == _SLOW, number in _TRAVELLERS
    return Person(
        number,
        grant="never" if number in _SILENT else "late" if number in _LATE else "early",
        logs_in=number % 2 == 0 and not slow,
        carts=(f"cart-{number}-a", f"cart-{number}-b") if number in _SHOPPERS else (),
        slow=slow,
        phone=f"+55119{80_000_000 + number}" if travels else "",
        device=f"device-of-{number:04}" if travels else "",
    )


@dataclass(frozen=True, slots=True)
class Cast:
    people: list[Person] = field(default_factory=lambda: [make_person(number) for number in range(PEOPLE)])

    @property
    def entered(self) -> list[Person]:
        return [person for person in self.people if person.entered]

    @property
    def slow(self) -> Person:
        return next(person for person in self.people if person.slow)

    @property
    def shoppers(self) -> list[Person]:
        return [person for person in self.people if person.carts]

    @property
    def travellers(self) -> list[Person]:
        return [person for person in self.people if person.device]

    def groups(self, size: int) -> Iterator[list[Person]]:
        for start in range(0, len(self.people), size):
            yield self.people[start : start + size]

    def mails(self) -> set[tuple[str, str]]:
        """(step, recipient) of every mail that is to arrive, once."""
        wanted = {("welcome", person.email) for person in self.entered}
        wanted |= {("reminder", person.email) for person in self.entered if not person.logs_in and not person.slow}
        wanted |= {(step, person.email) for person in self.travellers for step in ("letter", "gift")}
        return wanted | {("cart", person.email) for person in self.shoppers}
