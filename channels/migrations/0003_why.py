"""What a message keeps for whoever asks why: the address chosen, the language, the guards; and lists without scans."""

from django.db import migrations, models

NOT_SENT = ("held", "suppressed", "failed", "unknown", "expired", "cancelled")


class Migration(migrations.Migration):
    dependencies = (("channels", "0002_message_step"),)

    operations = (
        migrations.AddField(
            model_name="message",
            name="address_verified_at",
            field=models.DateTimeField(
                help_text="As of the choice: the address last verified comes first.",
                null=True,
                verbose_name="address verified at",
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="address_seen_at",
            field=models.DateTimeField(
                help_text="As of the choice: of addresses never verified, the last seen.",
                null=True,
                verbose_name="address seen at",
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="addresses_known",
            field=models.SmallIntegerField(
                help_text="Of how many of the channel this one was chosen.", null=True, verbose_name="addresses known"
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="locale",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Of the text that was sent.",
                max_length=20,
                verbose_name="language",
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="decision",
            field=models.JSONField(
                help_text="Which guards were asked when it was to go, and the event that decided.",
                null=True,
                verbose_name="decision",
            ),
        ),
        migrations.AddIndex(
            model_name="message", index=models.Index(fields=["created_at"], name="message_by_time")
        ),
        migrations.AddIndex(
            model_name="message", index=models.Index(fields=["scope_id", "created_at"], name="message_by_scope")
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("state__in", NOT_SENT)),
                fields=["state", "created_at"],
                name="message_not_sent",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("reason", ""), _negated=True),
                fields=["reason", "created_at"],
                name="message_by_reason",
            ),
        ),
    )
