"""A field that takes the id of a row of a large table, and a link to look it up by, which has a name for whoever hears
the page: Unfold's has a picture alone."""

from typing import Any, ClassVar

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldForeignKeyRawIdWidget


class LookUp(UnfoldForeignKeyRawIdWidget):
    template_name: ClassVar[str] = "admin/customers/look_up.html"

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> SafeString:
        """By the project's own templates; those of forms know only Django's and Unfold's."""
        return render_to_string(template_name, context)
