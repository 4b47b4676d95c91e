"""Who was given what: guardian's object permissions on brands and squads, by direct foreign keys."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from customers.models.brand import Brand, Squad


class BrandUserPermission(UserObjectPermissionBase):
    content_object = models.ForeignKey(Brand, on_delete=models.CASCADE)

    class Meta(UserObjectPermissionBase.Meta):
        verbose_name = _("person's permission in a brand")
        verbose_name_plural = _("people's permissions in brands")


class BrandGroupPermission(GroupObjectPermissionBase):
    content_object = models.ForeignKey(Brand, on_delete=models.CASCADE)

    class Meta(GroupObjectPermissionBase.Meta):
        verbose_name = _("group's permission in a brand")
        verbose_name_plural = _("groups' permissions in brands")


class SquadUserPermission(UserObjectPermissionBase):
    content_object = models.ForeignKey(Squad, on_delete=models.CASCADE)

    class Meta(UserObjectPermissionBase.Meta):
        verbose_name = _("person's permission in a squad")
        verbose_name_plural = _("people's permissions in squads")


class SquadGroupPermission(GroupObjectPermissionBase):
    content_object = models.ForeignKey(Squad, on_delete=models.CASCADE)

    class Meta(GroupObjectPermissionBase.Meta):
        verbose_name = _("group's permission in a squad")
        verbose_name_plural = _("groups' permissions in squads")
