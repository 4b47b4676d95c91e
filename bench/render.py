"""`render.mail`: a letter of a layout, filled in for a thousand people in bounds and by their language, against
python-liquid with nothing around it filling in the same page.

No database: what is measured is what a worker does between reading a message and handing it over.
"""

import time
from collections.abc import Set
from datetime import UTC, datetime
from typing import Any, Final

from liquid import Environment

from bench.database import Durability
from bench.measure import Result, Side, Size, take_turns
from channels.liquid import Reader
from channels.mail import layout, plain
from channels.templates import Text, render

PEOPLE: Final = 1_000
WANTED: Final = 0.60
_NOW: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
_ROW: Final = """
{% for item in event.items %}
<mj-section padding="0"><mj-column width="30%"><mj-image src="https://shop.example/{{ item.sku }}.png" alt="" />
</mj-column><mj-column width="70%"><mj-text>{{ item.name | escape }} × {{ item.count }}<br />{{ item.price }}</mj-text>
</mj-column></mj-section>
{% endfor %}
"""
LETTER: Final = f"""
<mjml><mj-head><mj-title>Your cart</mj-title>
<mj-preview>Still there, {{{{ customer.first_name }}}}?</mj-preview></mj-head><mj-body><mj-section><mj-column>
<mj-text font-size="22px">Hello {{{{ customer.first_name | default: "you" }}}},</mj-text>
<mj-text>{{% if event.items.size > 1 %}}These are{{% else %}}This is{{% endif %}} waiting in your cart.</mj-text>
</mj-column></mj-section>{_ROW}<mj-section><mj-column>
<mj-button href="https://shop.example/cart/{{{{ event.cart_id }}}}">Go on</mj-button>
<mj-text>{{{{ brand.name }}}}, {{{{ brand.postal_address }}}}.
<a href="{{{{ unsubscribe_url }}}}">Unsubscribe</a>, <a href="{{{{ preferences_url }}}}">choose</a></mj-text>
</mj-column></mj-section></mj-body></mjml>
"""
_SUBJECT: Final = "{{ customer.first_name }}, your cart is waiting"


class Letters:
    def __init__(self, people: int) -> None:
        page = layout.to_html(LETTER, "en")
        self.text = Text("en", _SUBJECT, page, plain.to_text(page))
        self.contexts = [_context(n) for n in range(people)]
        for_pages, for_words = Environment(autoescape=True), Environment()
        self.bare_page = for_pages.from_string(page)
        self.bare_words = [for_words.from_string(source) for source in (self.text.subject, self.text.text)]
        self._compare()

    def ours(self) -> float:
        began = time.perf_counter()
        for context in self.contexts:
            render([self.text], "en", "en", context, Reader(_NOW))
        return len(self.contexts) / (time.perf_counter() - began)

    def bare(self) -> float:
        began = time.perf_counter()
        for context in self.contexts:
            self.bare_page.render(**context)
            for words in self.bare_words:
                words.render(**context)
        return len(self.contexts) / (time.perf_counter() - began)

    def _compare(self) -> None:
        """Both say the same."""
        made = render([self.text], "en", "en", self.contexts[0], Reader(_NOW))
        bare = [self.bare_page, *self.bare_words]
        if [made.html, made.subject, made.text] != [one.render(**self.contexts[0]) for one in bare]:
            raise RuntimeError("the two letters differ")


def _context(n: int) -> dict[str, Any]:
    items = [{"sku": f"s{n}-{i}", "name": f"Cup & saucer {i}", "count": i + 1, "price": "R$ 19,90"} for i in range(4)]
    return {
        "customer": {"first_name": f"Ana {n}"},
        "event": {"cart_id": f"c{n}", "items": items},
        "brand": {"name": "Acme", "postal_address": "1 High Street"},
        "unsubscribe_url": f"https://acme.example/u/{n}",
        "preferences_url": f"https://acme.example/p/{n}",
    }


def measure(_wanted: Set[str], size: Size) -> list[Result]:
    letters = Letters(size.of(PEOPLE, at_least=100))
    nothing = Durability("none", "none")
    sides = [
        Side(label, run, len(letters.contexts), 1, 1, 0, nothing)
        for label, run in (("all checks", letters.ours), ("python-liquid alone", letters.bare))
    ]
    take_turns(sides, size.rounds)
    return [Result("render.mail", "letters/s", sides[0], sides[1], WANTED)]
