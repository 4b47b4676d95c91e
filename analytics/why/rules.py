"""A rule in words, as short as its JSON allows."""

import json
from typing import Any

from django.utils.translation import gettext as _

from customers.authoring.words import rule_words
from journeys.this_run import THIS_RUN


def in_words(rule: Any) -> str:
    """`plan eq "pro" and not (age lt 18)`; what is not a rule is shown as it stands."""
    if isinstance(rule, dict):
        for key, word in (("all", _("and")), ("any", _("or"))):
            if isinstance(rule.get(key), list):
                parts = [in_words(part) for part in rule[key]]
                return parts[0] if len(parts) == 1 else "(" + f" {word} ".join(parts) + ")"
        if "not" in rule:
            return _("not %(rule)s") % {"rule": in_words(rule["not"])}
        if "leaf" in rule:
            return _leaf(rule)
    return json.dumps(rule, ensure_ascii=False)


def _leaf(leaf: dict[str, Any]) -> str:
    if "name" not in leaf or leaf["leaf"] == THIS_RUN:
        return rule_words(leaf)
    words = [str(leaf.get("name", leaf["leaf"])), str(leaf.get("op", ""))]
    if "value" in leaf:
        words.append(json.dumps(leaf["value"], ensure_ascii=False))
    return " ".join(word for word in words if word)
