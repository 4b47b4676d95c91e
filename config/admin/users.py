"""Django's own pages for users and groups, in our look."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as StockGroupAdmin
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSelect2MultipleWidget

from customers import audit, clock
from customers.admin.base import AnyAdmin
from customers.log_in import back_off, sessions, two_factor

admin.site.unregister(User)
admin.site.unregister(Group)


class ForSuperusers(AnyAdmin):
    """Whoever may change accounts and roles can become anybody, so it takes somebody who already may do everything."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)


def _is_superuser(request: HttpRequest) -> bool:
    return request.user.is_active and request.user.is_superuser


@admin.register(User)
class UserAdmin(StockUserAdmin, ForSuperusers):  # type: ignore[type-arg]  # not subscriptable at run time
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "first_name", "last_name", "email", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups")
    search_help_text = _("A part of the user name, name or e-mail address.")
    # What people may do they may by their roles; two boxes with every permission there is help nobody.
    filter_horizontal = ()
    autocomplete_fields = ("groups",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Personal info"), {"fields": ("first_name", "last_name", "email")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        (_("Important dates"), {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
    actions = ("reset_two_factor", "log_out_everywhere", "lift_waits")

    @admin.action(description=_("Reset two-factor log-in"), permissions=["change"])
    def reset_two_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """For who has lost telephone and codes; whoever holds a session of theirs loses it."""
        now = clock.utcnow()
        count = 0
        for user in queryset:
            if two_factor.reset(user):
                count += 1
                audit.record(request.user, "two_factor_reset", user, None, None, now=now)
            sessions.end_all(user, now)
        text = ngettext("%(count)s person sets it up anew.", "%(count)s people set it up anew.", count)
        self.message_user(request, text % {"count": count})

    @admin.action(description=_("Log out everywhere"), permissions=["change"])
    def log_out_everywhere(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        count = sum(sessions.end_all(user, clock.utcnow()) for user in queryset)
        text = ngettext("%(count)s session was ended.", "%(count)s sessions were ended.", count)
        self.message_user(request, text % {"count": count})

    @admin.action(description=_("Let log in without waiting"), permissions=["change"])
    def lift_waits(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """For who was locked out by failed attempts, their own or somebody else's."""
        for user in queryset:
            back_off.forget([back_off.account(user.get_username()), back_off.code(user.pk)])
        count = len(queryset)
        text = ngettext("%(count)s person may log in.", "%(count)s people may log in.", count)
        self.message_user(request, text % {"count": count})


@admin.register(Group)
class GroupAdmin(StockGroupAdmin, ForSuperusers):
    search_help_text = _("A part of the name.")
    filter_horizontal = ()

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None and db_field.name == "permissions":
            # Hundreds to choose from: searched by typing, not by scrolling.
            field.widget = UnfoldAdminSelect2MultipleWidget(choices=field.choices)
        return field
