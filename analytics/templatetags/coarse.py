"""Numbers that are told in tens to who may not know them better."""

from django import template

from customers.segments.telling import coarse_words

register = template.Library()


@register.filter
def coarsely(number: int, is_coarse: bool) -> int | str:
    return coarse_words(number) if is_coarse else number
