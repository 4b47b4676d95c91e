"""Products out of a file: a row is what is said of one, its other columns are attributes."""

from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.imports.limits import FileRefused
from customers.imports.rows import PROPERTY, Part, RowKind

_PARTS: Final = {
    "key": Part(
        _("key"),
        "sku product_id productid id codigo codigo_do_produto cod_produto id_produto ref referencia",
        help=_("As events name it: the SKU, or the number that the shop has for it."),
    ),
    "name": Part(_("name"), "title product_name nome nome_do_produto produto titulo"),
    "description": Part(_("description"), "descricao body details detalhes"),
    "price": Part(_("price"), "preco valor price_amount sale_price", as_="money"),
    "currency": Part(_("currency"), "moeda currency_code"),
    "url": Part(_("page"), "link page pagina product_url endereco"),
    "image": Part(_("picture"), "image_url image_link imagem foto picture"),
    "category": Part(pgettext_lazy("product", "category"), "categoria product_type tipo department"),
    "available": Part(_("available"), "in_stock availability disponivel em_estoque", as_="boolean"),
    "active": Part(pgettext_lazy("product", "active"), "ativo enabled", as_="boolean"),
    "locale": Part(_("language of name and description"), "idioma lingua language"),
    "updated_at": Part(_("changed at"), "modified_at atualizado_em alterado_em", is_time=True),
}


def finish(rule: dict[str, Any], _said: Any) -> None:
    """Whatever else it says, it says of which product."""
    rule.pop("historical", None)
    properties = rule.setdefault("properties", {})
    if "key" not in properties:
        raise FileRefused("not_said", names=str(_PARTS["key"].label))
    properties["key"]["required"] = True


ROWS: Final = RowKind(("product",), free=PROPERTY, names_people=False, parts=_PARTS, finish=finish)
