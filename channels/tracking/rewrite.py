"""Finding the links of what is about to be sent, and putting others in their place; all else stays byte for byte."""

import html
import re
from collections.abc import Callable
from typing import Final

# The address to stand instead; None leaves the link as it is.
Swap = Callable[[str], str | None]

_BEGIN: Final = re.compile(r"<!--|<(?:a|area)(?=[\s/])|<(style|script|title|textarea)\b", re.IGNORECASE)
_LONGEST_TAG: Final = 8_192
# Possessive: a tag is read once, however its quotes stand.
_WHOLE: Final = re.compile(r"<(?:[^\"'>]|\"[^\"]*\"|'[^']*')*+>")
_ATTRIBUTE: Final = re.compile(r"([^\s\"'<>/=]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'<>]+)))?")
# In an attribute a reference that lacks its semicolon is none: `?a=1&copy=2` asks for a copy.
_REFERENCE: Final = re.compile(r"&(?:\w{1,40}|#\d{1,7}|#[xX][\da-fA-F]{1,6});")
_ENDS: Final = {name: re.compile(f"</{name}", re.IGNORECASE) for name in ("style", "script", "title", "textarea")}
_UNTRACKED: Final = "data-untracked"
_BODY: Final = re.compile(r"</body\s*>", re.IGNORECASE)
_IN_TEXT: Final = re.compile(r"https?://[^\s<>\"“”«»]+", re.IGNORECASE)
_LONGEST_ADDRESS: Final = 4_096
# At an address's end they belong to the sentence.
_AFTER: Final = ".,;:!?…'’*_"
_CLOSING: Final = {")": "(", "]": "[", "}": "{"}


def in_page(page: str, swap: Swap) -> str:
    """The links of a page, also those that Outlook alone reads. Where a tag never ends, nothing further is touched."""
    pieces: list[str] = []
    done = at = 0
    while (found := _BEGIN.search(page, at)) is not None:
        begin = found.start()
        if not found[0].startswith("<!--") and found[1] is None:
            whole = _WHOLE.match(page, begin, begin + _LONGEST_TAG)
            if whole is None:
                break
            at = whole.end()
            if (place := _href(page, begin, at)) is not None:
                swapped = swap(_unescaped(page[place[0] : place[1]]).strip())
                if swapped is not None:
                    pieces += (page[done : place[0]], html.escape(swapped))
                    done = place[1]
            continue
        at = _behind(page, found)
        if at < 0:
            break
    return "".join((*pieces, page[done:])) if pieces else page


def _behind(page: str, found: re.Match[str]) -> int:
    """Where reading goes on behind what is no words; what stands under a condition for Outlook is read."""
    if found[1] is not None:
        closed = _ENDS[found[1].lower()].search(page, found.end())
        return closed.end() if closed else -1
    if page.startswith("<!--[if", found.start()):
        return found.end()
    # Two of its own lines may end it as well: `<!-->` and `<!--->` are comments of nothing.
    end = page.find("-->", found.start() + 2)
    return end + 3 if end >= 0 else -1


def _unescaped(value: str) -> str:
    return _REFERENCE.sub(lambda one: html.unescape(one[0]), value)


def _href(page: str, begin: int, end: int) -> tuple[int, int] | None:
    """Where the value of the tag's address stands; None where it has none, or its author wants it untouched."""
    place: tuple[int, int] | None = None
    # Behind the name of the tag, which is an `a` or `area`.
    for one in _ATTRIBUTE.finditer(page, begin + 1, end - 1):
        name = one[1].lower()
        if name == _UNTRACKED:
            return None
        if name == "href" and place is None:
            group = next((number for number in (2, 3, 4) if one[number] is not None), None)
            place = one.span(group) if group else None
    return place


def with_picture(page: str, address: str) -> str:
    """The page with a picture that nobody sees, at its end."""
    picture = f'<img src="{html.escape(address)}" width="1" height="1" alt="" style="border:0;height:1px;width:1px">'
    end = -1
    for found in _BODY.finditer(page):
        end = found.start()
    return f"{page}{picture}" if end < 0 else f"{page[:end]}{picture}{page[end:]}"


def in_text(text: str, swap: Swap) -> str:
    """The addresses in plain words, without what the sentence puts behind them."""

    def put(found: re.Match[str]) -> str:
        if len(found[0]) > _LONGEST_ADDRESS:
            return found[0]
        address = _without_sentence(found[0])
        swapped = swap(address)
        return found[0] if swapped is None else f"{swapped}{found[0][len(address) :]}"

    return _IN_TEXT.sub(put, text)


def _without_sentence(address: str) -> str:
    """A bracket belongs to the sentence that it was not opened in the address."""
    while address:
        last = address[-1]
        opening = _CLOSING.get(last)
        if last not in _AFTER and (opening is None or address.count(opening) >= address.count(last)):
            break
        address = address[:-1]
    return address
