"""The staff pages' site: unfold's look, our navigation, and today's numbers on its first page."""

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

from customers import clock

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite
else:
    AdminSite = UnfoldAdminSite


class StaffSite(AdminSite):
    index_title = _("Today")
    index_template = "admin/home.html"
    # Nobody but staff has a page, so there is no site to go back to.
    site_url = None

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """What there is in an app, which only its own page lists.

        Django has everything listed for each page there is, and has it sorted by names that are translated at every
        comparison: it took as long as all the rest of a page, which leads everywhere by our navigation.
        """
        return super().get_app_list(request, app_label) if app_label else []

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        # Sites are made before models, which the first page asks.
        from config import home

        return super().index(request, {**home.context(request, clock.utcnow()), **(extra_context or {})})
