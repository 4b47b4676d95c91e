"""What a browser sends of a page's form when nobody touched it, and ways of touching it."""

from html.parser import HTMLParser
from typing import Any

Values = dict[str, list[str]]


class _Form(HTMLParser):
    """Successful controls in the order of the page, by the rules of HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.values: Values = {}
        self.select: str | None = None
        self.options: list[tuple[str, bool]] = []
        self.area: str | None = None
        self.text = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "input" and "name" in given:
            self._input(given)
        elif tag == "select" and "name" in given:
            self.select, self.options = given["name"], []
        elif tag == "option" and self.select:
            self.options.append((given["value"], "selected" in given))
        elif tag == "textarea" and "name" in given:
            self.area, self.text = given["name"], ""

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)

    def handle_data(self, data: str) -> None:
        if self.area:
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "select" and self.select and self.options:
            chosen = [value for value, is_chosen in self.options if is_chosen]
            self._add(self.select, chosen[-1] if chosen else self.options[0][0])
            self.select = None
        elif tag == "textarea" and self.area:
            text = self.text.removeprefix("\n").replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
            self._add(self.area, text)
            self.area = None

    def _input(self, given: dict[str, str]) -> None:
        kind = given.get("type", "text")
        if kind in ("checkbox", "radio"):
            if "checked" in given:
                self._add(given["name"], given.get("value", "on"))
        elif kind == "hidden":
            self._add(given["name"], given.get("value", ""))
        elif kind == "text":
            self._add(given["name"], given.get("value", "").replace("\r", "").replace("\n", ""))

    def _add(self, name: str, value: str) -> None:
        self.values.setdefault(name, []).append(value)


def values_of(html: str) -> Values:
    form = _Form()
    form.feed(html)
    return form.values


def press(client: Any, address: str, order: str, html: str, **changes: str) -> Any:
    """Press a button of the form on this page, with some inputs filled in; `__` in a name stands for a slash."""
    values: dict[str, Any] = dict(values_of(html))
    for name, value in changes.items():
        values[name.replace("__", "/")] = [value]
    return client.post(address, {**values, "do": order})
