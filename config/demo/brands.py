"""What the two brands are: where they are, how they speak, what they sell and where it is sold."""

from dataclasses import dataclass
from datetime import time
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

COMPANY: Final = "Ipê & Wattle"
MARKETING, SERVICE = "offers", "orders"
NOTICE: Final = "sign-up"


@dataclass(frozen=True, slots=True)
class Product:
    sku: str
    name: str
    cents: int


@dataclass(frozen=True, slots=True)
class City:
    name: str
    region: str
    zone: str


@dataclass(frozen=True, slots=True)
class BrandPlan:
    """Everything of a brand that the generator must know; amounts are in cents of its currency."""

    key: str
    name: str
    zone: str
    locale: str
    currency: str
    country: str
    sender_name: str
    sender_email: str
    postal_address: str
    site: str
    legal_basis: str
    # How orders may be paid, the first ones often, and which of them are pending at first.
    payments: tuple[tuple[str, float, float], ...]
    cities: tuple[City, ...]
    stores: tuple[str, ...]
    products: tuple[Product, ...]
    share: float
    quiet_from: time = time(22)
    quiet_until: time = time(8)

    @property
    def loyalty_namespace(self) -> UUID:
        """Card numbers are the tills' own: the shop's user ids mean something else."""
        return uuid5(NAMESPACE_URL, f"https://{self.site}/card")


BRAZIL: Final = BrandPlan(
    key="cafe-ipe",
    name="Café Ipê",
    zone="America/Sao_Paulo",
    locale="pt-BR",
    currency="BRL",
    country="BR",
    sender_name="Café Ipê",
    sender_email="oi@cafeipe.example.com",
    postal_address="Café Ipê Comércio de Cafés Ltda.\nRua dos Ipês, 412\n05435-020 São Paulo – SP",
    site="cafeipe.example.com",
    legal_basis="lgpd:7:I",
    payments=(("pix", 0.5, 0.55), ("credit_card", 0.38, 0.06), ("boleto", 0.12, 1.0)),
    cities=(
        City("São Paulo", "SP", "America/Sao_Paulo"),
        City("Rio de Janeiro", "RJ", "America/Sao_Paulo"),
        City("Belo Horizonte", "MG", "America/Sao_Paulo"),
        City("Curitiba", "PR", "America/Sao_Paulo"),
        City("Recife", "PE", "America/Recife"),
        City("Porto Alegre", "RS", "America/Sao_Paulo"),
        City("Salvador", "BA", "America/Bahia"),
        City("Manaus", "AM", "America/Manaus"),
    ),
    stores=("Vila Madalena", "Savassi", "Batel"),
    products=(
        Product("IPE-MOG-250", "Mogiana em grãos 250 g", 4290),
        Product("IPE-SUL-500", "Sul de Minas moído 500 g", 6490),
        Product("IPE-CHA-250", "Chapada Diamantina 250 g", 5490),
        Product("IPE-MAN-250", "Matas de Minas natural 250 g", 4790),
        Product("IPE-CAP-030", "Cápsulas Cerrado, 30 un.", 7290),
        Product("IPE-DEC-250", "Descafeinado da Bahia 250 g", 5190),
        Product("ACC-V60-002", "Coador V60 de cerâmica", 18900),
        Product("ACC-MOE-001", "Moedor manual", 24900),
        Product("ACC-FIL-100", "Filtros de papel, 100 un.", 2490),
        Product("ACC-XIC-002", "Par de xícaras ipê-amarelo", 9800),
    ),
    share=0.6,
)
AUSTRALIA: Final = BrandPlan(
    key="wattle",
    name="Wattle Coffee",
    zone="Australia/Melbourne",
    locale="en-AU",
    currency="AUD",
    country="AU",
    sender_name="Wattle Coffee",
    sender_email="hello@wattlecoffee.example.com",
    postal_address="Wattle Coffee Pty Ltd\n1 Wattle Blossom Lane\nBrunswick VIC 3056",
    site="wattlecoffee.example.com",
    legal_basis="spam-act:16:2",
    payments=(("credit_card", 0.62, 0.1), ("paypal", 0.2, 0.05), ("bank_transfer", 0.18, 0.9)),
    cities=(
        City("Melbourne", "VIC", "Australia/Melbourne"),
        City("Sydney", "NSW", "Australia/Sydney"),
        City("Brisbane", "QLD", "Australia/Brisbane"),
        City("Adelaide", "SA", "Australia/Adelaide"),
        City("Perth", "WA", "Australia/Perth"),
        City("Hobart", "TAS", "Australia/Hobart"),
    ),
    stores=("Brunswick", "Surry Hills"),
    products=(
        Product("WAT-FLT-250", "Filter roast Mogiana 250 g", 1900),
        Product("WAT-ESP-500", "House espresso 500 g", 3200),
        Product("WAT-CHA-250", "Chapada Diamantina 250 g", 2200),
        Product("WAT-DEC-250", "Swiss-water decaf 250 g", 2100),
        Product("WAT-CAP-030", "Compostable capsules, 30", 2700),
        Product("WAT-CLD-001", "Cold brew, 1 l", 1600),
        Product("ACC-APR-001", "Hand-press brewer", 5900),
        Product("ACC-GRD-001", "Hand grinder", 12900),
        Product("ACC-FIL-100", "Paper filters, 100", 900),
        Product("ACC-KEP-001", "Keep cup, wattle yellow", 2800),
    ),
    share=0.4,
)
BRANDS: Final = (BRAZIL, AUSTRALIA)
