"""Writing a journey by the form as a person would: names of inputs are their paths in the document."""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page

from channels.models import Connector, Template, TemplateText, TemplateVersion
from consent.models import Purpose
from customers.models import Brand, EventType


@dataclass(slots=True)
class AuthorForm:
    """The author's page; every change waits until the form has followed it."""

    page: Page

    def field(self, name: str) -> Locator:
        return self.page.locator(f'#author [name="{name}"]:not([type="hidden"])')

    def write(self, name: str, text: str) -> None:
        self.field(name).fill(text)
        self.field(name).blur()
        self.settle()

    def choose(self, name: str, value: str) -> None:
        self.field(name).select_option(value)
        self.settle()

    def press(self, order: str) -> None:
        """A button that changes the form, by what it asks for."""
        self.page.locator(f'#author-body button[name="do"][value="{order}"]').first.click()
        self.settle()

    def wait_for(self, number: int, of: str, then: str, *, after: str, unit: str) -> None:
        """Fill in a delay."""
        at = f"steps/{number}"
        self.write(f"{at}/id", of)
        self.write(f"{at}/after/~n", after)
        self.choose(f"{at}/after/~unit", unit)
        self.choose(f"{at}/next", then)

    def settle(self) -> None:
        self.page.wait_for_function("!document.getElementById('author').hasAttribute('aria-busy')")

    def errors(self) -> list[str]:
        return self.page.locator("#a-summary li").all_inner_texts()

    def value(self, name: str) -> Any:
        return self.field(name).input_value()


def make_shop(zone: str = "UTC") -> Brand:
    """A brand with what an abandoned-cart journey needs, and no journey."""
    brand = Brand.objects.create(key="acme", name="Acme", zone=zone, sender_email="hello@acme.example")
    Purpose.objects.create(brand=brand, key="news", name="News", kind=Purpose.Kind.MARKETING)
    for channel in ("push", "whatsapp"):
        Connector.objects.create(brand=brand, key=channel, name=channel.title(), channel=channel, provider="sandbox")
        template = Template.objects.create(brand=brand, key=f"cart-{channel}", name=f"Cart {channel}", channel=channel)
        version = TemplateVersion.objects.create(template=template, number=1)
        TemplateText.objects.create(version=version, locale="en", text="Your cart {{ event.cart_id }} is waiting.")
    for name in ("cart.abandoned", "order.completed"):
        EventType.objects.create(brand=brand, name=name)
    return brand


def write_abandoned_cart(form: AuthorForm) -> None:
    """Push after 30 minutes, WhatsApp after 24 hours, out on the order, a run for each cart."""
    form.choose("purpose", "news")
    form.write("entry/event", "cart.abandoned")
    form.write("entry/key", "cart_id")
    form.choose("entry/reentry", "always")
    for number, name in enumerate(("open", "bought", "left")):
        form.write(f"states/{number}/name", name)
    form.press("step:delay")
    form.write("steps/0/id", "half-an-hour")
    form.write("steps/0/after/~n", "30")
    form.choose("steps/0/after/~unit", "minutes")
    # A new step by the list of steps, named where it leads on from.
    form.choose("steps/0/next", "+message")
    _message(form, 1, "push", "remind-by-push")
    form.choose("steps/1/next", "+delay")
    form.write("steps/2/id", "a-day")
    form.write("steps/2/after/~n", "24")
    form.choose("steps/2/after/~unit", "hours")
    form.choose("steps/2/next", "+message")
    _message(form, 3, "whatsapp", "remind-by-whatsapp")
    form.choose("steps/3/next", "+exit")
    form.write("steps/4/id", "given-up")
    form.choose("steps/4/state", "left")
    form.press("row:/exit_events")
    form.write("exit_events/0/event", "order.completed")
    form.write("exit_events/0/key", "cart_id")
    form.choose("exit_events/0/state", "bought")


def _message(form: AuthorForm, number: int, channel: str, name: str) -> None:
    at = f"steps/{number}"
    form.write(f"{at}/id", name)
    form.choose(f"{at}/channel", channel)
    form.choose(f"{at}/connector", channel)
    form.choose(f"{at}/template", f"cart-{channel}")


ABANDONED_CART: dict[str, Any] = {
    "purpose": "news",
    "states": [
        {"name": "open", "kind": "initial"},
        {"name": "bought", "kind": "success"},
        {"name": "left", "kind": "failure"},
    ],
    "transitions": [["open", "bought"], ["open", "left"]],
    "entry": {"event": "cart.abandoned", "key": "cart_id", "reentry": "always"},
    "steps": [
        {"type": "delay", "id": "half-an-hour", "state": "open", "after": "PT30M", "next": "remind-by-push"},
        {
            "type": "message",
            "id": "remind-by-push",
            "state": "open",
            "channel": "push",
            "connector": "push",
            "template": "cart-push",
            "next": "a-day",
        },
        {"type": "delay", "id": "a-day", "state": "open", "after": "P1D", "next": "remind-by-whatsapp"},
        {
            "type": "message",
            "id": "remind-by-whatsapp",
            "state": "open",
            "channel": "whatsapp",
            "connector": "whatsapp",
            "template": "cart-whatsapp",
            "next": "given-up",
        },
        {"type": "exit", "id": "given-up", "state": "left"},
    ],
    "exit_events": [{"event": "order.completed", "key": "cart_id", "state": "bought"}],
}
