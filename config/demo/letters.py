"""How the mails of the demo company look: one layout in MJML, its head and foot blocks that a brand has once."""

from dataclasses import dataclass
from typing import Final

from channels import writing
from channels.blocks.shelf import BrandShelf
from channels.images.naming import BrandLibrary
from channels.models import ContentBlock, ContentBlockText, ContentBlockVersion, TemplateText, TemplateVersion
from config.demo import pictures
from config.demo.brands import BrandPlan
from config.demo.words import Words, fill
from customers.models import Brand
from customers.models.address import Channel

HEAD, FOOT = "letter-head", "letter-foot"
# Why somebody gets it, and their ways out.
_GOODBYE: Final = {
    "pt-BR": (
        "Você recebe este e-mail porque tem uma conta no {{ brand.name }}.",
        "Não quero mais receber",
        "Escolher o que recebo",
    ),
    "en": ("You get this because you have an account with {{ brand.name }}.", "Unsubscribe", "Choose what I get"),
}
_CLAIM: Final = {"pt-BR": "Torrado às terças e quintas", "en": "Roasted on Tuesdays and Thursdays"}


@dataclass(frozen=True, slots=True)
class Look:
    """The colours and letters of a brand's mail."""

    accent: str
    on_accent: str
    paper: str
    ink: str
    letters: str


LOOKS: Final = {
    "cafe-ipe": Look("#f2b705", "#2b1a00", "#fffaf0", "#3b2413", "Georgia, 'Times New Roman', serif"),
    "wattle": Look("#1f5c4d", "#ffffff", "#f6f8f4", "#1d2b26", "'Helvetica Neue', Helvetica, Arial, sans-serif"),
}
_LAYOUT: Final = """\
<mjml lang="{locale}">
  <mj-head>
    <mj-title>{title}</mj-title>
    <mj-preview>{preview}</mj-preview>
    <mj-attributes>
      <mj-all font-family="{look.letters}" />
      <mj-text color="{look.ink}" font-size="16px" line-height="1.6" padding="0 24px 16px" />
      <mj-button background-color="{look.accent}" color="{look.on_accent}" font-size="16px" font-weight="bold"
        border-radius="6px" inner-padding="14px 22px" align="left" padding="8px 24px 24px" />
    </mj-attributes>
  </mj-head>
  <mj-body background-color="{look.paper}" width="560px">
    {{% block '{head}' %}}
    <mj-section background-color="#ffffff" padding="28px 0 8px">
      <mj-column>
        <mj-text font-size="20px">{first}</mj-text>
{paragraphs}{button}
      </mj-column>
    </mj-section>{more}
    {{% block '{foot}' %}}
  </mj-body>
</mjml>
"""
# What they may like, for whom that may be asked; the others read what is above it.
_PRODUCTS: Final = """
    {% for product in recommended limit: 3 %}
    <mj-section background-color="#ffffff" padding="0 0 12px">
      <mj-column>
        <mj-text padding="0 24px"><a href="{{ product.url }}">{{ product.name }}</a><br/>
        {{ product.price | money: product.currency }}</mj-text>
      </mj-column>
    </mj-section>
    {% endfor %}"""
_HEAD_MJML: Final = """\
<mj-section background-color="{look.accent}" padding="20px 0">
  <mj-column>
    <mj-text color="{look.on_accent}" font-size="26px" font-weight="bold" padding="0 24px">
      <a href="https://{site}/" style="color:{look.on_accent};text-decoration:none">{{{{ brand.name }}}}</a>
    </mj-text>
    <mj-text color="{look.on_accent}" font-size="14px" padding="4px 24px 0">{claim}</mj-text>
  </mj-column>
</mj-section>
<mj-section padding="0">
  <mj-column>
    <mj-image src="{{{{ '{band}' | image_url }}}}" alt="{alt}" width="560px" padding="0" />
  </mj-column>
</mj-section>
"""
_FOOT_MJML: Final = """\
<mj-section padding="20px 0 32px">
  <mj-column>
    <mj-text font-size="13px" padding="0 24px">
      <p>{why}</p>
      <p><a href="{{{{ preferences_url }}}}" style="color:{look.ink}">{choose}</a> ·
      <a href="{{{{ unsubscribe_url }}}}" style="color:{look.ink}">{leave}</a></p>
      <p>{{{{ brand.postal_address | newline_to_br }}}}</p>
    </mj-text>
  </mj-column>
</mj-section>
"""


def make_blocks(plan: BrandPlan, brand: Brand) -> None:
    look = LOOKS[plan.key]
    for key, name, layout in ((HEAD, "Letter, head", _HEAD_MJML), (FOOT, "Letter, foot", _FOOT_MJML)):
        block = ContentBlock.objects.create(brand=brand, key=key, name=name, channel=Channel.EMAIL)
        version = ContentBlockVersion.objects.create(block=block, number=1)
        for locale, (why, leave, choose) in _GOODBYE.items():
            said = layout.format(
                look=look,
                site=plan.site,
                claim=_CLAIM[locale],
                why=why,
                leave=leave,
                choose=choose,
                band=pictures.BAND,
                alt=pictures.alt(plan, locale),
            )
            ContentBlockText.objects.create(version=version, locale=locale, mjml=said)


def write(plan: BrandPlan, brand: Brand, version: TemplateVersion, locale: str, said: Words) -> None:
    """A mail as its author would have saved it; raises ValueError for what the form would refuse."""
    written = writing.Written(locale, said.subject, mjml=layout_of(plan, locale, said))
    made = writing.make(written, BrandShelf(brand.pk, brand.locale), BrandLibrary(brand.pk), Channel.EMAIL)
    if made.faults:
        raise ValueError(f"{version} ({locale}): {made.faults}")
    text = TemplateText.objects.create(
        version=version,
        locale=locale,
        subject=written.subject,
        mjml=written.mjml,
        html=made.html,
        text=made.text,
        authored=made.authored,
    )
    writing.record(text, made)


def layout_of(plan: BrandPlan, locale: str, said: Words) -> str:
    first, *rest = said.lines
    paragraphs = "\n".join(f"        <mj-text>{line}</mj-text>" for line in rest)
    button = ""
    if said.button:
        label, path = said.button
        button = f'\n        <mj-button href="https://{plan.site}{path}">{label}</mj-button>'
    return fill(
        _LAYOUT.format(
            locale=locale, title=said.subject, preview=rest[0] if rest else first, look=LOOKS[plan.key], head=HEAD,
            foot=FOOT, first=first, paragraphs=paragraphs, button=button, more=_PRODUCTS if said.shows_products else "",
        ),
        plan.site,
    )  # fmt: skip
