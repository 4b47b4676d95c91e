"""Pages that a higher layer draws of a lower layer's rows, since it knows more about them.

The lower layer's admin keeps the address, the list and the rights; the higher one registers in its `ready()`:
`present(model, page)` in place of the stock page of a row that is only read, `add_page(model, ExtraPage(...))` for
one beside it. A page is called with the admin, the request and the row, which the person may see.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.contrib.admin import display
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.utils.functional import _StrOrPromise

    Base = ModelAdmin[Any]
else:
    Base = object

View = Callable[[Any, HttpRequest, Any], HttpResponse]


@dataclass(frozen=True, slots=True)
class ExtraPage:
    """`name` is the last part of its address, /…/<id>/<name>/, and of the address's name, <app>_<model>_<name>."""

    name: str
    title: "_StrOrPromise"
    view: View


_presenters: Final[dict[type[Model], View]] = {}
_extra: Final[dict[type[Model], dict[str, ExtraPage]]] = {}


def present(model: type[Model], view: View) -> None:
    """Have `view` draw the page of a row of `model` for whoever looks at it."""
    _presenters[model] = view


def add_page(model: type[Model], page: ExtraPage) -> None:
    _extra.setdefault(model, {})[page.name] = page


class Presented(Base):
    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        pages = [
            path(f"<path:object_id>/{page.name}/", self._drawn(page), name=f"{name}_{page.name}")
            for page in _extra.get(self.model, {}).values()
        ]
        return pages + super().get_urls()

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        presenter = _presenters.get(self.model)
        if presenter is None or request.method not in ("GET", "HEAD"):
            return super().change_view(request, object_id, *args, **kwargs)
        return self._present(request, object_id, presenter)

    def extra_pages(self, key: object) -> list[dict[str, Any]]:
        """Title and address of the further pages of a row."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        return [
            {"title": page.title, "link": reverse(f"{name}_{page.name}", args=[key])}
            for page in _extra.get(self.model, {}).values()
        ]

    @display(description=_("further pages"))
    def further(self, row: Any) -> SafeString | str:
        """A column or field with links to a row's further pages."""
        if row.pk is None or row._state.adding:
            return ""
        links = ((page["link"], page["title"]) for page in self.extra_pages(row.pk))
        return format_html_join(" ", '<a class="t-link" href="{}">{}</a>', links)

    def _drawn(self, page: ExtraPage) -> Callable[..., HttpResponse]:
        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            return self._present(request, object_id, page.view)

        return self.admin_site.admin_view(view)

    def _present(self, request: HttpRequest, object_id: str, view: View) -> HttpResponse:
        """Unknown, foreign and forbidden rows are answered as the stock page answers them."""
        row = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            gone: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]  # Django's own
            return gone
        return view(self, request, row)


def drawn(
    admin: Any, request: HttpRequest, row: Model, template: str, title: "_StrOrPromise", **context: Any
) -> HttpResponse:
    """The page of a row in the frame that all staff pages share."""
    # Django's crumbs and our heading take `original` for the name of the page.
    frame = admin.admin_site.each_context(request) | {
        "opts": admin.opts,
        "title": capfirst(admin.opts.verbose_name),
        "subtitle": title,
        "original": row,
        "has_view_permission": True,
        "extra_pages": admin.extra_pages(row.pk),
    }
    request.current_app = admin.admin_site.name
    return TemplateResponse(request, template, frame | context)
