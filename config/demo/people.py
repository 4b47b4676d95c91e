"""Who buys coffee: each person follows from the seed and a number, whatever the others do."""

from dataclasses import dataclass
from random import Random
from typing import Final

from config.demo.brands import BRANDS, BrandPlan, City


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST_NAMES: Final = {
    "BR": _names(
        "Ana Beatriz Camila Carla Daniela Eduarda Fernanda Gabriela Helena Isabela Juliana Larissa Letícia Luana "
        "Mariana Natália Patrícia Rafaela Sofia Tainá Vitória André Antônio Bruno Caio Daniel Diego Eduardo Felipe "
        "Gabriel Guilherme Gustavo Henrique Ícaro João José Leonardo Lucas Luiz Marcelo Mateus Murilo Otávio Paulo "
        "Pedro Rafael Rodrigo Thiago Vinícius Zé"
    ),
    "AU": _names(
        "Amelia Ava Charlotte Chloe Ella Emily Evie Georgia Grace Harper Isla Jasmine Jessica Kirra Lily Matilda Mia "
        "Olivia Ruby Sienna Sophie Willow Zara Alexander Archie Benjamin Cooper Daniel Ethan Finn Harrison Henry Hugo "
        "Jack James Jarrah Kai Lachlan Leo Liam Mason Mateo Minh Noah Oliver Priya Ravi Sam Thomas William"
    ),
}
_LAST_NAMES: Final = {
    "BR": _names(
        "Almeida Alves Araújo Barbosa Barros Batista Cardoso Carvalho Castro Conceição Costa Cunha Dias Duarte "
        "Fernandes Ferreira Freitas Gomes Gonçalves Lima Lopes Machado Marques Martins Melo Mendes Moraes Moreira "
        "Nascimento Nogueira Oliveira Pereira Pinto Ramos Ribeiro Rocha Santana Santos Silva Soares Souza Tavares "
        "Teixeira Vieira"
    ),
    "AU": _names(
        "Abbott Anderson Bailey Baker Brown Campbell Chen Clarke Cooper Davies Edwards Evans Fraser Gray Green Hall "
        "Harris Hill Hughes Jones Kaur Kelly King Lee Lewis Martin Mitchell Moore Morgan Murray Nguyen O'Brien "
        "Patel Phillips Quinn Reid Roberts Robinson Ryan Scott Singh Smith Taylor Thompson Tran Walker Watson White "
        "Williams Wilson Wright Young"
    ),
}
_ASCII: Final = str.maketrans("áâãàçéêíóôõúÁÉÍÓÚ'", "aaaaceeiooouAEIOU-")


@dataclass(frozen=True, slots=True)
class Person:
    """What stays the same of somebody; `visits` is how often a week they come by."""

    number: int
    plan: BrandPlan
    first_name: str
    last_name: str
    city: City
    joined_days_ago: float
    locale: str
    grants: bool
    has_app: bool
    has_phone: bool
    has_card: bool
    visits: float
    random: Random

    @property
    def user_id(self) -> str:
        return f"{self.plan.country.lower()}-{self.number:05}"

    @property
    def anonymous_id(self) -> str:
        # A few people share a browser with somebody else of the household.
        number = self.number - 1 if self.number % 97 == 0 else self.number
        return f"web-{number:05}-{number * 2654435761 % 2**32:08x}"

    @property
    def card(self) -> str:
        return f"{self.number * 40503 % 10**8:08}"

    @property
    def push_token(self) -> str:
        return f"{self.number * 2654435761 % 2**32:08x}:demo-{self.plan.key}-{self.number:05}"

    @property
    def email(self) -> str:
        name = f"{self.first_name}.{self.last_name}".translate(_ASCII).lower()
        return f"{self._trouble}{name}.{base36(self.number)}@people.example.com"

    @property
    def _trouble(self) -> str:
        """What has the sandbox refuse a mail, or lose the answer (see channels/providers/sandbox.py)."""
        return "bounce+" if self.number % 131 == 7 else "timeout+" if self.number % 263 == 11 else ""

    @property
    def phone(self) -> str:
        """Of an area that does not exist, so that nobody's telephone could ring."""
        line = self.number * 7919 % 10**7
        if self.plan.country == "BR":
            return f"+55 20 9{line // 10**4 % 1000 + 8000:04}-{line % 10**4:04}"
        return f"+61 555 {line // 1000 % 1000:03} {line % 1000:03}"

    @property
    def ip(self) -> str:
        """From the blocks that are kept for documentation."""
        return f"{'203.0.113' if self.plan.country == 'BR' else '198.51.100'}.{self.number % 254 + 1}"


def make_person(seed: int, number: int, days: float) -> Person:
    """Person `number` of a history of so many days; more join towards its end, and some were there before it."""
    random = Random(f"{seed}/{number}")  # noqa: S311 - a history that can be told again, not a secret
    plan = BRANDS[0] if random.random() < BRANDS[0].share else BRANDS[1]
    country = plan.country
    stranger = random.random() < 0.04
    return Person(
        number=number,
        plan=plan,
        first_name=random.choice(_FIRST_NAMES[country]),
        last_name=random.choice(_LAST_NAMES[country]),
        city=random.choice(plan.cities),
        joined_days_ago=days * (1 - random.random() ** 0.8) * 0.999,
        locale=("en" if country == "BR" else "pt-BR") if stranger else plan.locale,
        grants=random.random() < 0.74,
        has_app=random.random() < 0.58,
        has_phone=random.random() < 0.66,
        has_card=random.random() < 0.3,
        visits=random.choices((0.12, 0.4, 1.1), (0.5, 0.36, 0.14))[0],
        random=random,
    )


def base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits or "0"
