"""What the demo company says, in both its languages; the brands share the words and differ in their look."""

from dataclasses import dataclass
from typing import Final

# A price from cents, written as the language writes it.
_PRICE = (
    "{% assign whole = event.total | divided_by: 100 %}{% assign rest = event.total | modulo: 100 %}"
    "{% if event.currency == 'BRL' %}R$&nbsp;{% else %}A$&nbsp;{% endif %}{{ whole }}SEPARATOR"
    "{% if rest < 10 %}0{% endif %}{{ rest }}"
)


@dataclass(frozen=True, slots=True)
class Words:
    """One text in one language; `button` is a label and where it leads on the brand's site."""

    subject: str
    lines: tuple[str, ...]
    button: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Wording:
    """A template: its name for staff, its channel, and its words by locale."""

    key: str
    name: str
    channel: str
    by_locale: dict[str, Words]


WORDINGS: Final = (
    Wording("welcome", "Welcome", "email", {
        "pt-BR": Words(
            "{{ customer.first_name }}, bem-vindo ao {{ brand.name }} ☕",
            ("Oi, {{ customer.first_name }}!",
             "Que bom ter você aqui. Torramos às terças e quintas e enviamos no mesmo dia – o café chega à sua casa "
             "com no máximo uma semana de torra.",
             "Conte em um minuto como você gosta do seu café. A partir daí, cada sugestão combina com você."),
            ("Contar como eu gosto", "/perfil-de-sabor")),
        "en": Words(
            "Welcome to {{ brand.name }}, {{ customer.first_name }} ☕",
            ("Hi {{ customer.first_name }},",
             "Good to have you. We roast on Tuesdays and Thursdays and ship the same day, so the coffee on your "
             "bench is never more than a week off the roaster.",
             "Tell us how you take your coffee. It takes a minute, and everything we suggest from then on fits."),
            ("Tell us how you take it", "/taste-profile")),
    }),
    Wording("taste-push", "Taste profile, nudge", "push", {
        "pt-BR": Words("Falta um minuto", ("{{ customer.first_name }}, diga como gosta do seu café e ganhe frete "
                                           "grátis no primeiro pedido.",)),
        "en": Words("One minute to go", ("{{ customer.first_name }}, tell us how you take your coffee and your first "
                                         "delivery is on us.",)),
    }),
    Wording("taste-last", "Taste profile, last call", "email", {
        "pt-BR": Words(
            "Seu frete grátis vale até domingo",
            ("{{ customer.first_name }}, seu perfil de sabor ainda está em branco.",
             "Preencha até domingo e o frete do primeiro pedido fica por nossa conta. Depois disso, não insistimos "
             "mais – prometido."),
            ("Preencher agora", "/perfil-de-sabor")),
        "en": Words(
            "Free delivery until Sunday",
            ("{{ customer.first_name }}, your taste profile is still empty.",
             "Fill it in by Sunday and your first delivery is on us. After that we will stop asking – promise."),
            ("Fill it in", "/taste-profile")),
    }),
    Wording("club-reward", "Stamp card, full", "email", {
        "pt-BR": Words(
            "Seu cartão está cheio: um café por nossa conta",
            ("Oi, {{ customer.first_name | default: 'tudo bem' }}!",
             "Você juntou {{ journey.stamps }} selos no seu cartão. O próximo pacote de 250 g é por nossa conta – "
             "escolha o que quiser, ele entra no carrinho sem custo."),
            ("Escolher meu café", "/clube/cartao-cheio")),
        "en": Words(
            "Your card is full: the next bag is on us",
            ("Hi {{ customer.first_name | default: 'there' }},",
             "You have collected {{ journey.stamps }} stamps on your card. The next 250 g bag is on us: pick any "
             "of them, and it goes into your cart for nothing."),
            ("Pick my coffee", "/club/full-card")),
    }),
    Wording("cart-push", "Cart, after half an hour", "push", {
        "pt-BR": Words("Ainda pensando?", ("{{ event.item_name | default: 'Seu café' }} está guardado no seu "
                                           "carrinho.",)),
        "en": Words("Still thinking?", ("{{ event.item_name | default: 'Your coffee' }} is waiting in your cart.",)),
    }),
    Wording("cart-whatsapp", "Cart, the next day", "whatsapp", {
        "pt-BR": Words("", ("Oi, {{ customer.first_name }}! Aqui é do {{ brand.name }}. Você deixou "
                            "*{{ event.item_name | default: 'um café' }}* no carrinho ontem. Ficou alguma dúvida "
                            "sobre moagem ou entrega? É só responder por aqui. Para sair desta lista, responda PARAR.",
                            )),
        "en": Words("", ("Hi {{ customer.first_name }}, {{ brand.name }} here. You left "
                         "*{{ event.item_name | default: 'some coffee' }}* in your cart yesterday. Any question about "
                         "grind or delivery? Just reply. Reply STOP and you will not hear from us again.",)),
    }),
    Wording("pay-code", "Payment pending, by code", "email", {
        "pt-BR": Words(
            "O código do pedido {{ event.order_id }} expira hoje",
            ("Oi, {{ customer.first_name | default: 'tudo bem' }}!",
             "Separamos o pedido {{ event.order_id }}, no valor de PRICE, mas o pagamento ainda não chegou.",
             "O código {% if event.method == 'pix' %}Pix{% else %}de pagamento{% endif %} vale até o fim do dia. Assim "
             "que o pagamento cair, o café vai para a torra."),
            ("Copiar o código", "/pedidos/{{ event.order_id }}/codigo")),
        "en": Words(
            "The code for order {{ event.order_id }} expires today",
            ("Hi {{ customer.first_name | default: 'there' }},",
             "Order {{ event.order_id }} over PRICE is packed, but its payment has not arrived.",
             "The {% if event.method == 'pix' %}Pix{% else %}payment{% endif %} code is good until the end of the day. "
             "Once you have paid, we roast."),
            ("Copy the code", "/orders/{{ event.order_id }}/code")),
    }),
    Wording("pay-other", "Payment pending, other ways", "email", {
        "pt-BR": Words(
            "Falta só o pagamento do pedido {{ event.order_id }}",
            ("Oi, {{ customer.first_name | default: 'tudo bem' }}!",
             "O pagamento do pedido {{ event.order_id }}, no valor de PRICE, não foi concluído.",
             "Você pode tentar de novo, trocar a forma de pagamento ou falar com a gente."),
            ("Pagar agora", "/pedidos/{{ event.order_id }}/pagar")),
        "en": Words(
            "Order {{ event.order_id }} is waiting for its payment",
            ("Hi {{ customer.first_name | default: 'there' }},",
             "The payment of PRICE for order {{ event.order_id }} did not go through.",
             "You can try again, choose another way to pay, or talk to us."),
            ("Pay now", "/orders/{{ event.order_id }}/pay")),
    }),
    Wording("pay-sms", "Payment pending, the next day", "sms", {
        "pt-BR": Words("", ("{{ brand.name }}: o pedido {{ event.order_id }} ainda aguarda pagamento e sera cancelado "
                            "amanha. Pague em SITE/p/{{ event.order_id }}",)),
        "en": Words("", ("{{ brand.name }}: order {{ event.order_id }} is still unpaid and will be cancelled "
                         "tomorrow. Pay at SITE/p/{{ event.order_id }}",)),
    }),
)  # fmt: skip

_GOODBYE: Final = {
    "pt-BR": (
        "Você recebe este e-mail porque tem uma conta no {{ brand.name }}.",
        "Não quero mais receber",
        "Escolher o que recebo",
    ),
    "en": ("You get this because you have an account with {{ brand.name }}.", "Unsubscribe", "Choose what I get"),
}
_SEPARATOR: Final = {"pt-BR": ",", "en": "."}


@dataclass(frozen=True, slots=True)
class Look:
    """The colours of a brand's mail."""

    accent: str
    on_accent: str
    paper: str
    ink: str


LOOKS: Final = {
    "cafe-ipe": Look("#f2b705", "#2b1a00", "#fffaf0", "#3b2413"),
    "wattle": Look("#1f5c4d", "#ffffff", "#f6f8f4", "#1d2b26"),
}


def text_of(words: Words, locale: str, site: str, *, with_way_out: bool) -> str:
    """The plain text: all there is on a telephone, the plain part of a mail."""
    lines = list(words.lines)
    if words.button:
        label, path = words.button
        lines.append(f"{label}: https://{site}{path}")
    if with_way_out:
        why, way_out, choose = _GOODBYE[locale]
        lines.append(
            f"{why}\n{choose}: {{{{ preferences_url }}}}\n{way_out}: {{{{ unsubscribe_url }}}}\n\n"
            "{{ brand.postal_address }}"
        )
    return _fill("\n\n".join(lines), locale, site).replace("&nbsp;", "\N{NO-BREAK SPACE}")


def html_of(words: Words, locale: str, site: str, look: Look) -> str:
    """The mail as it is seen: tables and inline styles, since mail programs know little else."""
    first, *rest = words.lines
    paragraphs = f'<p style="font-size:20px;margin:0 0 16px">{first}</p>' + "".join(
        f'<p style="margin:0 0 16px">{line}</p>' for line in rest
    )
    button = ""
    if words.button:
        label, path = words.button
        button = (
            f'<p style="margin:28px 0"><a href="https://{site}{path}" style="background:{look.accent};'
            f"color:{look.on_accent};padding:14px 22px;border-radius:6px;text-decoration:none;"
            f'font-weight:bold;display:inline-block">{label}</a></p>'
        )
    why, way_out, choose = _GOODBYE[locale]
    return _fill(
        f'<!doctype html><html lang="{locale}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{words.subject}</title></head>'
        f'<body style="margin:0;background:{look.paper};color:{look.ink};'
        f'font:16px/1.5 Georgia,serif"><table role="presentation" width="100%"><tr><td align="center">'
        f'<table role="presentation" width="100%" style="max-width:560px;text-align:left">'
        f'<tr><td style="padding:28px 24px;border-bottom:6px solid {look.accent};font-size:26px;'
        f'font-weight:bold">{{{{ brand.name }}}}</td></tr>'
        f'<tr><td style="padding:28px 24px">{paragraphs}{button}</td></tr>'
        f'<tr><td style="padding:20px 24px;font:13px/1.5 Verdana,sans-serif">{why} '
        f'<a href="{{{{ preferences_url }}}}" style="color:{look.ink}">{choose}</a> · '
        f'<a href="{{{{ unsubscribe_url }}}}" style="color:{look.ink}">{way_out}</a><br>'
        f"{{{{ brand.postal_address | newline_to_br }}}}</td></tr>"
        f"</table></td></tr></table></body></html>",
        locale,
        site,
    )


def _fill(text: str, locale: str, site: str) -> str:
    price = _PRICE.replace("SEPARATOR", _SEPARATOR[locale])
    return text.replace("PRICE", price).replace("SITE", f"https://{site}")
