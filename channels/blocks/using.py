"""Which templates were made of a block, which of them hold an older version of it, and new versions of those."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _

from channels import writing
from channels.blocks.shelf import BrandShelf
from channels.images.naming import BrandLibrary
from channels.models import BlockUse, ContentBlock, PulledSource, Template, TemplateText, TemplateVersion


class NotRenewedError(Exception):
    """Of what a template says, something no longer fits what blocks say: which language, and what is wrong."""


@dataclass(frozen=True, slots=True)
class Use:
    """That the latest version of a template was made of this version of a block."""

    version: TemplateVersion
    holds: int
    is_old: bool


def uses(block: ContentBlock, templates: QuerySet[Template]) -> list[Use]:
    """Of these templates, those whose latest version has the block in it; the oldest version of it counts."""
    newest = TemplateVersion.objects.filter(template=OuterRef("text__version__template")).order_by("-number")
    found = (
        BlockUse.objects.filter(block_version__block=block, text__version=Subquery(newest.values("pk")[:1]))
        .filter(text__version__template__in=templates)
        .select_related("text__version__template", "block_version")
        .order_by("text__version__template__name", "text__version_id", "block_version__number")
    )
    latest = block.versions.order_by("-number").values_list("number", flat=True).first() or 0
    told: dict[int, Use] = {}
    for one in found:
        number = one.block_version.number
        told.setdefault(one.text.version_id, Use(one.text.version, number, number < latest))
    return list(told.values())


def renew(template: Template) -> TemplateVersion:
    """A new version of a template: what its latest says, made with blocks as they are now."""
    with transaction.atomic():
        # Its row is the lock under which numbers are given.
        template = Template.objects.select_for_update(of=("self",)).select_related("brand").get(pk=template.pk)
        latest = template.versions.order_by("-number").first()
        if latest is None:
            raise NotRenewedError(_("It has no words yet."))
        made = TemplateVersion.objects.create(template=template, number=latest.number + 1)
        for source in PulledSource.objects.filter(version=latest).order_by("name"):
            # What is pulled goes along as it was.
            source.pk, source.version, source._state.adding = None, made, True
            source.save()
        for text in latest.texts.order_by("locale"):
            _renew(text, made)
    return made


def _renew(text: TemplateText, version: TemplateVersion) -> None:
    said, template = text.as_written(), version.template
    shelf = BrandShelf(template.brand_id, template.brand.locale)
    made = writing.make(writing.Written(**said), shelf, BrandLibrary(template.brand_id), template.channel)
    if made.faults:
        name, fault = made.faults[0]
        raise NotRenewedError(f"{text.locale}, {name}: {fault}")
    kept = {name: getattr(made, name) for name in ("subject", "html", "text", "options", "authored")}
    writing.record(TemplateText.objects.create(version=version, **(said | kept)), made)
