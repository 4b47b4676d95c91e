"""The company as staff would have set it up: brands, sources, events, notices, connectors, words, squads."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from channels.models import (
    Connector,
    PacingPolicy,
    Template,
    TemplateText,
    TemplateVersion,
    WebSlot,
    WebSlotText,
)
from channels.models.connector import CALLS
from channels.pacing import policies
from channels.secrets import credentials_aad, seal
from config.demo import letters, maps, pictures, roaster, words
from config.demo.brands import BRANDS, MARKETING, NOTICE, SERVICE, BrandPlan
from config.demo.registry import plan_events
from consent import notices
from consent.models import Notice, NoticeText, NoticeVersion, Purpose, PurposeText
from customers.models import Brand, Source, Squad
from journeys.code.file import read
from journeys.models import Journey
from journeys.publish import publish

# With the cases they must pass: `manage.py test_journey`.
JOURNEYS: Final = sorted((Path(__file__).parent / "journeys").glob("*.yaml"))
SQUADS: Final = {
    "Welcome": ("onboarding", "club-card"),
    "Checkout": ("payment-recovery", "abandoned-cart", "order-in-hand", "late-order"),
}
# Of today: for what happened before, nobody had an inbox on a page.
LATER: Final = ("order-in-hand", "late-order")
# What goes to others is kept by the sandbox; what goes to our own pages is shown there.
_CONNECTORS: Final = {"mail": ("email", "Mail", "sandbox"), "push": ("push", "Push", "sandbox"),
                      "sms": ("sms", "SMS", "sandbox"), "whatsapp": ("whatsapp", "WhatsApp", "sandbox"),
                      "inbox": ("in_app", "Inbox", "inapp"), "pages": ("web", "Pages", "web"),
                      "calls": ("call", "Calls", "voice_task")}  # fmt: skip
SLOT: Final = "home-hero"
_USUAL: Final = {
    "pt-BR": ("Torrado esta semana", "Novos lotes às terças e quintas."),
    "en": ("Roasted this week", "New lots on Tuesdays and Thursdays."),
}
# Another company's system, that journeys ask; what stands in for it is made up (see `config.demo.club`).
CLUB: Final = "club"
# Hours; the others are missed when they are quiet for longer than they usually are.
_SILENT_AFTER: Final = {"kiosks": 24}
_NOTICE_TEXTS: Final = {
    "pt-BR": "Quero receber novidades e ofertas por e-mail, SMS, WhatsApp e notificações do aplicativo. Posso cancelar "
    "a qualquer momento, em qualquer mensagem ou na minha conta.",
    "en": "I would like news and offers by e-mail, SMS, WhatsApp and app notifications. I can stop this at any time, "
    "in any message or in my account.",
}
# What people are written to for, by the names that they see; the English ones are those of the staff as well.
_PURPOSES: Final = {
    MARKETING: {
        "en": ("News and offers", "Everything we would like people to know; only to those who asked for it."),
        "pt-BR": ("Novidades e ofertas", "Tudo o que gostaríamos de contar; só para quem pediu."),
    },
    SERVICE: {
        "en": ("Orders", "What belongs to an order somebody has placed."),
        "pt-BR": ("Pedidos", "O que faz parte de um pedido que alguém fez."),
    },
}
# Two years: then people are asked again.
_VALID_DAYS: Final = 730


@dataclass(slots=True)
class Shop:
    """One brand as it stands in the database; sources by key."""

    plan: BrandPlan
    brand: Brand
    sources: dict[str, Source] = field(default_factory=dict)
    squads: dict[str, Squad] = field(default_factory=dict)
    journeys: dict[str, Journey] = field(default_factory=dict)


@dataclass(slots=True)
class Company:
    shops: dict[str, Shop]

    @property
    def source_ids(self) -> dict[tuple[str, str], UUID]:
        """By (brand key, source key)."""
        return {(key, source): row.id for key, shop in self.shops.items() for source, row in shop.sources.items()}


def found(now: datetime) -> Company:
    """Set up both brands, with journeys that are written and not yet live."""
    return Company({plan.key: _open(plan, now) for plan in BRANDS})


def load() -> Company:
    """The company as it stands."""
    shops = {}
    for plan in BRANDS:
        brand = Brand.objects.get(key=plan.key)
        shops[plan.key] = Shop(
            plan,
            brand,
            # What happens inside is told by none of the company's systems.
            {one.key: one for one in Source.objects.filter(brand=brand).exclude(key=Source.RESERVED_KEY)},
            {squad.name: squad for squad in Squad.objects.filter(brand=brand)},
            {journey.key: journey for journey in Journey.objects.filter(brand=brand)},
        )
    return Company(shops)


def find_club(address: str | None) -> None:
    """Tell every brand where the club is now; where nothing stands in for it nobody asks it anything."""
    clubs = Connector.objects.filter(key=CLUB, channel=CALLS)
    if address is None:
        clubs.update(is_active=False)
    else:
        clubs.update(is_active=True, config={"base_url": f"http://{address}"})
    roaster.find(address)


def go_live(company: Company, now: datetime) -> None:
    """Publish every journey that the history is about."""
    _publish(company, [path.stem for path in JOURNEYS if path.stem not in LATER], now)


def go_live_today(company: Company, now: datetime) -> None:
    """Publish those that began today."""
    _publish(company, LATER, now)


def _publish(company: Company, keys: Iterable[str], now: datetime) -> None:
    for shop in company.shops.values():
        for key in keys:
            publish(shop.journeys[key], shop.journeys[key].draft, by=None, now=now)


def pace(company: Company, now: datetime) -> None:
    """Put the policies in force that hold from now on: what was sent in the history was sent before there were any."""
    kinds = PacingPolicy.Kind
    for shop in company.shops.values():
        cap = PacingPolicy(
            brand=shop.brand, name="Marketing", kind=kinds.CAP, most=6, span=7, reason="Whoever gets more, leaves."
        )
        policies.make(cap, None, now)
        night = PacingPolicy(
            brand=shop.brand,
            name="Quiet nights",
            kind=kinds.QUIET,
            channel="sms",
            starts=shop.plan.quiet_from,
            ends=shop.plan.quiet_until,
            reason="A phone that buzzes wakes people; a mail waits until they look.",
        )
        policies.make(night, None, now)


def _open(plan: BrandPlan, now: datetime) -> Shop:
    brand = Brand.objects.create(
        key=plan.key,
        name=plan.name,
        zone=plan.zone,
        locale=plan.locale,
        currency=plan.currency,
        sender_name=plan.sender_name,
        sender_email=plan.sender_email,
        postal_address=plan.postal_address,
    )
    shop = Shop(plan, brand)
    for name in SQUADS:
        shop.squads[name] = Squad.objects.create(brand=brand, name=name)
    _sources(shop)
    plan_events(brand)
    _consent(brand, now)
    for key, (channel, name, provider) in _CONNECTORS.items():
        Connector.objects.create(
            brand=brand, key=key, name=f"{plan.name} – {name}", channel=channel, provider=provider, owner="IT"
        )
    _slot(plan, brand)
    _join_the_club(brand)
    pictures.make_pictures(plan, brand, now)
    letters.make_blocks(plan, brand)
    for wording in words.WORDINGS:
        _template(plan, brand, wording)
    _draft(shop, now)
    return shop


def _slot(plan: BrandPlan, brand: Brand) -> None:
    slot = WebSlot.objects.create(brand=brand, key=SLOT, name="Home, at the top", where=f"https://{plan.site}/")
    for locale, (title, body) in _USUAL.items():
        WebSlotText.objects.create(slot=slot, locale=locale, title=title, body=body)


def _join_the_club(brand: Brand) -> None:
    club = Connector(brand=brand, key=CLUB, channel=CALLS, provider="webhook", owner="CRM")
    club.name = f"{brand.name} – Stamp cards (made up by this demo)"
    club.credentials = seal({}, credentials_aad(club.pk))
    club.save()


def _sources(shop: Shop) -> None:
    plan = shop.plan
    documents = f"https://{plan.site}/events"
    rows = (
        ("shop", "Online shop", "E-commerce", None, "accept"),
        ("app", "App", "Mobile", None, "accept"),
        # The tills' own software sends what it likes, so only what was agreed on is let in.
        ("stores", "Stores (tills)", "Retail IT", plan.loyalty_namespace, "quarantine"),
        ("crm", "CRM", "Customer care", None, "accept"),
        # It reports in its own words, by a webhook; nobody has planned its events yet.
        ("payments", "Payment provider", "Finance", None, "mark"),
        *((("kiosks", "Market stalls", "Retail IT", None, "accept"),) if plan.key == BRANDS[0].key else ()),
    )
    for key, name, owner, namespace, unplanned in rows:
        shop.sources[key] = Source.objects.create(
            brand=shop.brand,
            key=key,
            name=f"{plan.name} – {name}",
            owner=owner,
            documentation_url=f"{documents}/{key}",
            namespace=namespace or shop.brand.pk,
            unplanned=unplanned,
            silent_after=_SILENT_AFTER.get(key),
        )


def _consent(brand: Brand, now: datetime) -> None:
    notice = Notice.objects.create(brand=brand, key=NOTICE, name="Box at sign-up")
    version = NoticeVersion.objects.create(notice=notice, number=1)
    for locale, text in _NOTICE_TEXTS.items():
        NoticeText.objects.create(version=version, locale=locale, text=text)
    notices.publish(version, now)
    for key, kind in ((MARKETING, Purpose.Kind.MARKETING), (SERVICE, Purpose.Kind.SERVICE)):
        said = _PURPOSES[key]
        name, description = said["en"]
        purpose = Purpose.objects.create(
            brand=brand,
            key=key,
            name=name,
            kind=kind,
            description=description,
            notice=notice if kind == Purpose.Kind.MARKETING else None,
            valid_days=_VALID_DAYS if kind == Purpose.Kind.MARKETING else None,
        )
        for locale, (public_name, what) in said.items():
            PurposeText.objects.create(purpose=purpose, locale=locale, name=public_name, description=what)


def _template(plan: BrandPlan, brand: Brand, wording: words.Wording) -> None:
    template = Template.objects.create(brand=brand, key=wording.key, name=wording.name, channel=wording.channel)
    version = TemplateVersion.objects.create(template=template, number=1)
    if wording.key == roaster.LETTER:
        roaster.pull(plan, version)
    for locale, said in wording.by_locale.items():
        if wording.channel == "email":
            letters.write(plan, brand, version, locale, said)
            continue
        TemplateText.objects.create(
            version=version,
            locale=locale,
            subject=said.subject,
            text=words.text_of(said, plan.site),
            options={"slot": SLOT, "days": "1"} if wording.channel == "web" else {},
        )


def _draft(shop: Shop, now: datetime) -> None:
    """Write the journeys down, each message at its place on the map."""
    places = maps.draw_map(shop.plan, shop.brand, shop.squads["Welcome"], now)
    squads = {key: squad for squad, keys in SQUADS.items() for key in keys}
    for path in JOURNEYS:
        file = read(path.read_text())
        draft = file.definition
        if "schedule" in draft["entry"]:
            draft["entry"]["schedule"]["zone"] = shop.plan.zone
        for step in draft["steps"]:
            if (file.key, step["id"]) in places:
                step["touchpoint"] = str(places[file.key, step["id"]].pk)
        shop.journeys[file.key] = Journey.objects.create(
            brand=shop.brand,
            squad=shop.squads[squads[file.key]],
            key=file.key,
            name=f"{file.name} – {shop.plan.name}",
            description=file.description,
            draft=draft,
        )
