"""What is wrong with a source, in our own words and the language of whoever looks: the parser's are English."""

import re
from collections.abc import Collection, Mapping
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

_WITHIN: Final = frozenset({"else", "elsif", "when", "break", "continue"})
_UNKNOWN_FILTER: Final = re.compile(r"unknown filter '(?P<name>.*)'")
_UNEXPECTED_TAG: Final = re.compile(r"unexpected tag '(?P<name>.*)'")
_NOT_ENDED: Final = re.compile(r"expected tag end(?P<name>\w+), found .*|(?P<other>\w+) tag wa[sd] never closed")
_EXPECTED: Final = re.compile(r"expected (?P<what>.+), found (?P<found>.+)")
_UNEXPECTED: Final = re.compile(r"unexpected (?P<sign>.+)")
_SAID: Final = {
    "missing expression": gettext_lazy("something is missing behind the name of the tag"),
    "unbalanced parentheses": gettext_lazy("parentheses are not closed"),
    "disallowed parentheses in logical expression": gettext_lazy("parentheses have no place here"),
    "disallowed not operator in logical expression": gettext_lazy("“not” has no place here: write unless"),
    "missing or unexpected path segment": gettext_lazy("a name or a number is missing behind a dot or bracket"),
    "missing tag name or closing delimiter": gettext_lazy("the tag has no name"),
    "invalid identifier": gettext_lazy("nothing can have this name"),
    "expected content, found expression": gettext_lazy("nothing may stand behind the name of this tag"),
    "cannot be read": gettext_lazy("it cannot be read"),
}
# What the parser calls what it looks for or finds.
_KINDS: Final = {
    "end of expression": gettext_lazy("its end"),
    "a primitive expression": gettext_lazy("a value"),
    "a comma separated list of arguments": gettext_lazy("a comma between values"),
    "an identifier": gettext_lazy("a name"),
    "a path with multiple segments": gettext_lazy("a name with a dot in it"),
    "word": gettext_lazy("a word"),
    "string": gettext_lazy("text in quotes"),
    "integer": gettext_lazy("a number"),
    "float": gettext_lazy("a number"),
    "one of ('colon',)": "“:”",
    "colon": "“:”",
    "comma": "“,”",
    "dot": "“.”",
    "pipe": "“|”",
    "lparen": "“(”",
    "rparen": "“)”",
    "gt": "“>”",
    "lt": "“<”",
}


def in_our_words(said: str, tags: Collection[str]) -> str:
    """What the parser said; `tags` are those there are. What we have no words for is quoted."""
    if said in _SAID:
        return str(_SAID[said])
    if found := _UNKNOWN_FILTER.fullmatch(said):
        return _("there is no filter “%(name)s”") % found.groupdict()
    if found := _UNEXPECTED_TAG.fullmatch(said):
        return _unexpected_tag(found["name"], tags)
    if found := _NOT_ENDED.fullmatch(said):
        name = found["name"] or found["other"]
        return _("“%(name)s” is not ended by “%(end)s”") % {"name": name, "end": f"end{name}"}
    if found := _EXPECTED.fullmatch(said):
        return _expected(found.groupdict())
    if found := _UNEXPECTED.fullmatch(said):
        return _("“%(sign)s” has no place here") % {"sign": found["sign"].strip("\"'") or found["sign"].strip('"')}
    return _("it cannot be read (%(said)s)") % {"said": said}


def _unexpected_tag(name: str, tags: Collection[str]) -> str:
    if name in tags or name in _WITHIN or name.removeprefix("end") in tags:
        return _("“%(name)s” has no place here") % {"name": name}
    return _("there is no tag “%(name)s”") % {"name": name}


def _expected(said: Mapping[str, str]) -> str:
    what, found = (str(_KINDS.get(kind, f"“{kind.strip(chr(39))}”")) for kind in (said["what"], said["found"]))
    if said["what"] == "end of expression":
        return _("%(found)s has no place here") % {"found": found}
    if said["found"] == "end of expression":
        return _("%(what)s is missing") % {"what": what}
    return _("%(what)s is missing before %(found)s") % {"what": what, "found": found}


def in_line(said: str, line: int) -> str:
    return _("%(fault)s in line %(line)s") % {"fault": said, "line": line}
