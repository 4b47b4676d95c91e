from django.contrib.admin.apps import AdminConfig


class StaffPagesConfig(AdminConfig):
    """Django's admin with our own site; named in a file of its own, as it is loaded before any model."""

    default_site = "config.admin_site.StaffSite"
