"""What a template may name, for whoever writes one: the blocks and images of its brand, and filters, to be copied."""

from typing import Any, Final

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from channels.models import ContentBlock, Image, Template, TemplateVersion

# The latest of them; others are found in their lists.
_MOST: Final = 50
_SAYINGS: Final = (
    (
        "{{ event.total | money }}",
        _(
            "Money, told in whole minor units such as cents: in the currency that is told with it (currency beside it"
            " or above it), else in the brand’s."
        ),
    ),
    ("{{ event.total | money: 'USD' }}", _("Money in a currency that you name.")),
    ("{{ customer.points | number }}", _("A number.")),
    ("{{ event.count | plural: '# item', '# items' }}", _("A number with its word.")),
    ("{{ event.at | date: 'long' }}", _("A day: short, medium, long, full, or by signs such as %d/%m/%Y.")),
    ("{{ event.at | time }}", _("A time of day.")),
)


def named_template(request: HttpRequest) -> Template | None:
    """The one that the address names, if its reader may see it."""
    try:
        return Template.objects.shown_to(request.user).get(pk=request.GET.get("template", ""))
    except (Template.DoesNotExist, ValidationError):
        return None


def latest_version(request: HttpRequest) -> TemplateVersion | None:
    """Of it, for a new one to begin with; what is sent in has its own words."""
    template = named_template(request) if request.method == "GET" else None
    return template.versions.order_by("-number").first() if template is not None else None


def at_hand(request: HttpRequest) -> dict[str, Any] | None:
    """None where nobody knows yet whose words are written."""
    template = named_template(request)
    if template is None:
        return None
    blocks = ContentBlock.objects.shown_to(request.user).filter(brand=template.brand_id)
    images = Image.objects.shown_to(request.user).filter(brand=template.brand_id).prefetch_related("alts")
    shown = list(images.order_by("-uploaded_at")[:_MOST])
    for image in shown:
        # What stands beside it in words, by language.
        image.said = sorted((alt.locale, alt.text) for alt in image.alts.all()) or [("", image.name)]  # type: ignore[attr-defined]  # for the page
    fitting = blocks.filter(channel__in=(ContentBlock.ANY, template.channel), versions__isnull=False)
    return {
        "blocks": fitting.distinct().order_by("name")[:_MOST],
        "images": shown,
        "sayings": [{"source": source, "said": said} for source, said in _SAYINGS],
    }
