"""What the demo company says, in both its languages; the brands share the words and differ in their look."""

from dataclasses import dataclass
from typing import Final

_PRICE: Final = "{{ event.total | money: event.currency }}"


@dataclass(frozen=True, slots=True)
class Words:
    """One text in one language; `button` is a label and where it leads on the brand's site."""

    subject: str
    lines: tuple[str, ...]
    button: tuple[str, str] | None = None
    # Below it, what they may like.
    shows_products: bool = False


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
    Wording("taste-question", "Taste profile, last call as a question", "email", {
        "pt-BR": Words(
            "{{ customer.first_name }}, coado ou espresso?",
            ("Oi, {{ customer.first_name }}: coado ou espresso?",
             "É a primeira das quatro perguntas do seu perfil de sabor. Responda até domingo e o frete do primeiro "
             "pedido fica por nossa conta. Depois disso, não insistimos mais – prometido."),
            ("Responder às quatro", "/perfil-de-sabor")),
        "en": Words(
            "{{ customer.first_name }}, filter or espresso?",
            ("Hi {{ customer.first_name }}, filter or espresso?",
             "That is the first of the four questions of your taste profile. Answer them by Sunday and your first "
             "delivery is on us. After that we will stop asking – promise."),
            ("Answer all four", "/taste-profile")),
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
    Wording("late-call", "Late order, a call", "call", {
        "pt-BR": Words("Ligar sobre o pedido {{ event.order_id }}, atrasado", (
            "Peça desculpas a {{ customer.first_name | default: 'quem fez o pedido' }} pelo atraso do pedido "
            "{{ event.order_id }}, diga quando chega, e que o próximo frete é por nossa conta.",)),
        "en": Words("Call about order {{ event.order_id }}, which is late", (
            "Say sorry to {{ customer.first_name | default: 'whoever ordered' }} that order {{ event.order_id }} is "
            "late, tell them when it comes, and that their next delivery is on us.",)),
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
    Wording("roasted-this-week", "Roasted this week", "email", {
        "pt-BR": Words(
            "Torrado esta semana",
            ("Oi, {{ customer.first_name | default: 'tudo bem' }}!",
             "Dois lotes novos saíram do torrador ontem: um Mogiana doce e redondo, e um Chapada com cara de fruta.",
             "Quem pedir até quarta recebe o café com no máximo três dias de torra."
             "{% if pulled.roaster.bags %} Agora há {{ pulled.roaster.bags | plural: '# pacote', '# pacotes' }}."
             "{% endif %}"),
            ("Ver os lotes da semana", "/esta-semana"), shows_products=True),
        "en": Words(
            "Roasted this week",
            ("Hi {{ customer.first_name | default: 'there' }},",
             "Two new lots left the roaster yesterday: a sweet, round Mogiana, and a Chapada that tastes of fruit.",
             "Order by Wednesday and the coffee is three days off the roaster at most."
             "{% if pulled.roaster.bags %} There {{ pulled.roaster.bags | plural: 'is # bag', 'are # bags' }} left."
             "{% endif %}"),
            ("See this week’s lots", "/this-week"), shows_products=True),
    }),
    Wording("order-inbox", "Order in hand, inbox", "in_app", {
        "pt-BR": Words("Recebemos o seu pedido", ("O pedido {{ event.order_id }} está conosco. Torramos às terças e "
                                                  "quintas e enviamos no mesmo dia.",)),
        "en": Words("We have your order", ("Order {{ event.order_id }} is with us. We roast on Tuesdays and Thursdays "
                                           "and ship the same day.",)),
    }),
    Wording("order-page", "Order in hand, on the page", "web", {
        "pt-BR": Words("Obrigado! Seu café já está na fila da torra", ("Avisamos assim que ele sair.",)),
        "en": Words("Thank you! Your coffee is next in the roaster", ("We will tell you as soon as it leaves.",)),
    }),
)  # fmt: skip


def text_of(words: Words, site: str) -> str:
    """All there is on a telephone, in an inbox and on a page."""
    lines = list(words.lines)
    if words.button:
        label, path = words.button
        lines.append(f"{label}: https://{site}{path}")
    return fill("\n\n".join(lines), site)


def fill(text: str, site: str) -> str:
    return text.replace("PRICE", _PRICE).replace("SITE", f"https://{site}")
