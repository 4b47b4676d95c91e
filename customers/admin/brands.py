"""Brands and the squads that work in them."""

from django.contrib import admin

from customers.admin.base import AnyAdmin, AnyTabular, Kept
from customers.models import Brand, Squad, SquadMember


@admin.register(Brand)
class BrandAdmin(Kept):
    list_display = ("name", "key", "zone", "locale", "currency", "sender_email")
    search_fields = ("name", "key")
    prepopulated_fields = {"key": ("name",)}


class MemberInline(AnyTabular):
    model = SquadMember
    autocomplete_fields = ("user",)
    extra = 0


@admin.register(Squad)
class SquadAdmin(Kept):
    list_display = ("name", "brand")
    list_filter = ("brand",)
    list_select_related = ("brand",)
    search_fields = ("name",)
    inlines = (MemberInline,)


@admin.register(SquadMember)
class SquadMemberAdmin(AnyAdmin):
    list_display = ("user", "squad", "role")
    list_filter = ("role", "squad")
    list_select_related = ("user", "squad")
    search_fields = ("user__username", "squad__name")
    autocomplete_fields = ("user", "squad")
