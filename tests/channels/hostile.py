"""Templates that want all of a machine, and a process that renders them one after another and tells what each took."""

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from channels.liquid import Reader
from channels.templates import TemplateError, Text, check, render

_GROWN = "{% assign x = 'a' %}" + "{% assign x = x | append: x %}" * 40
_HUGE = "9" * 3_900
_WORDS = "{% assign w = 'a,b,c,d,e,f,g,h' | split: ',' %}"

HOSTILE: dict[str, str] = {
    "chain of replaces": "{% assign x = 'aaaaaaaaaa' %}{{ x" + " | replace: 'a', x" * 12 + " }}",
    "chain of replaces of nothing": "{% assign x = 'aaaaaaaaaa' %}{{ x" + " | replace: '', x" * 12 + " }}",
    "growing assigns": _GROWN + "{{ x }}",
    "growing prepends": _GROWN.replace("append", "prepend"),
    "growing captures": "{% assign x = 'abcdefgh' %}" + "{% capture x %}{{ x }}{{ x }}{% endcapture %}" * 40,
    "many names": "".join(f"{{% assign x{n} = long %}}" for n in range(1_000)),
    "more names than marks": "".join(f"{{% assign x{n} = 1 %}}" for n in range(9_000)),
    "names in loops": "{% assign x = '' %}"
    "{% for a in (1..9999) %}{% assign x = 'abc' | append: a | append: x %}{% endfor %}",
    "nested loops": "{% for a in (1..9999) %}{% for b in (1..9999) %}x{% endfor %}{% endfor %}",
    "loops one after another": "{% for a in (1..9999) %}{{ a }}{% endfor %}" * 2_000,
    "empty loops one after another": "{% for a in (1..9999) %}{% endfor %}" * 1_200,
    "loops of much": "{% for a in (1..9999) %}" + "{% if 1 == 1 %}{% endif %}" * 1_200 + "{% endfor %}",
    "loops of long words": "{% for a in (1..9999) %}{{ long }}{% endfor %}",
    "captures in loops": "{% for a in (1..9999) %}{% capture x %}{{ long | upcase }}{% endcapture %}{% endfor %}",
    "changes in loops": "{% for a in (1..9999) %}{% ifchanged %}{{ long }}{% endifchanged %}{% endfor %}",
    "tables": "{% tablerow a in (1..9999) cols: 3 %}{% for b in (1..9999) %}x{% endfor %}{% endtablerow %}" * 20,
    "huge range": "{% for a in (1..999999999999) limit: 1 %}{% endfor %}",
    "huge range from its end": "{% for a in (1..999999999) offset: 999999990 %}{% endfor %}",
    "huge range reversed": "{% for a in (1..999999999) reversed limit: 1 %}{% endfor %}",
    "huge range joined": "{{ (1..999999999) | join: ',' }}",
    "huge range assigned": "{% assign r = (1..999999999) %}{{ r | reverse }}",
    "huge range searched": "{% if (1..999999999) contains 'x' %}{% endif %}",
    "range longer than any": f"{{% for a in (1..{'9' * 30}) %}}{{% endfor %}}",
    "growing numbers": "{% assign x = 9 %}" + "{% assign x = x | times: x %}" * 60 + "{{ x }}",
    "numbers of many digits": f"{{{{ {_HUGE} | times: {_HUGE[:10]} | plus: 1 }}}}",
    "a text times": "{{ 'a' | times: 1000000000 | append: 'a' }}{{ long | times: 99 }}",
    "a wide date": "{{ 'now' | date: '%999999999d' }}",
    "a long date": "{{ long | date: '%Y' }}",
    "a date of many parts": "{{ 'now' | date: '" + "%A" * 900 + "' }}",
    "growing lists": _WORDS + "{% assign w = w | concat: w %}" * 40 + "{{ w | size }}",
    "lists of long words": "{% assign w = long | split: '!' %}" + "{% assign w = w | concat: w %}" * 12 + "{{ w }}",
    "joined by much": "{{ long | split: '' | join: long }}",
    "a long split": "{{ long | append: long | split: '' | sort_natural | uniq | reverse | join: 'ab' }}",
    "much compared": "{% assign w = many | concat: many | concat: many %}{{ w | uniq | size }}" * 40,
    "much searched": "{% if " + "long contains 'yx' or " * 150 + "1 == 2 %}{% endif %}",
    "much searched often": ("{% if " + "long contains 'yx' or " * 150 + "1 == 2 %}{% endif %}") * 14,
    "tags that never end": "{% assign x = '" + "<a" * 1_900 + "' %}" + "{% assign x = x | append: x %}" * 4
    + "{{ x | strip_html }}",
    "comments that never end": "{% assign x = '" + "<!--" * 900 + "' %}" + "{% assign x = x | append: x %}" * 4
    + "{{ x | strip_html }}",
    "escaped again and again": "{{ '&&&&&&&&&&&&&&&&'" + " | escape" * 400 + " }}",
    "encoded again and again": "{{ 'ã%ã%ã%ã%'" + " | url_encode" * 300 + " }}",
    "base64 again and again": "{{ long" + " | base64_encode" * 200 + " }}",
    "marks never closed": "{{" * 120_000,
    "tags never closed": "{%" * 120_000,
    "verbatim never closed": "{% raw %}" * 25_000,
    "docs never closed": "{% doc %}" * 25_000,
    "comments never closed": "{% comment %}" * 2_400,
    "one mark of many filters": "{{ 1" + " | plus: 1" * 25_000 + " }}",
    "marks of nothing": ("{{" + " " * 3_900 + "}}") * 60,
    "marks of brackets": ("{{ a" + "[a" * 1_300 + "]" * 1_300 + " }}") * 10,
    "conditions without end": "{% if " + "long or " * 480 + "long %}{% endif %}",
    "many long marks": ("{{ 1" + " | plus: 1" * 350 + " }}") * 14,
    "more long marks than fit": ("{{ 1" + " | plus: 1" * 350 + " }}") * 80,
    "deep nesting": "{% if true %}" * 2_000,
    "all in turn": "{% cycle " + "long, " * 600 + "long %}",
    "a megabyte": "x" * 1_000_000,
    "a megabyte of marks": "{{ a }}" * 150_000,
}  # fmt: skip

PLAIN_WORDS = "Hello"

CONTEXT: dict[str, Any] = {
    "long": "y" * 60_000,
    "many": [{"name": str(n), "tags": [n]} for n in range(900)],
}


def measured(source: str) -> dict[str, Any]:
    """What became of it, how long it took and by how much the process grew meanwhile."""
    Path("/proc/self/clear_refs").write_text("5")
    before, begun = peak(), time.process_time()
    outcome = _outcome(source)
    return {"outcome": outcome, "seconds": time.process_time() - begun, "grown": peak() - before}


def _outcome(source: str) -> str:
    try:
        check(source)
    except TemplateError as refused:
        return f"not saved: {refused}"
    try:
        # A page and its plain words, as a letter has them.
        text = Text("en", "", source, source)
        render([text], "en", "en", CONTEXT, Reader(datetime(2026, 3, 2, tzinfo=UTC)))
    except TemplateError as refused:
        return f"{type(refused).__name__}: {refused}"
    return "rendered"


def peak() -> int:
    """The most memory since it was last asked from anew, in bytes."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    for name in json.loads(sys.stdin.readline()):
        print(json.dumps({"name": name, **measured(HOSTILE.get(name, PLAIN_WORDS))}), flush=True)
