"""Drafts keep their revisions, so that no save is lost to another; publishing becomes a permission of its own."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("journeys", "0003_journey_map"),
    )

    operations = (
        migrations.AlterModelOptions(
            name="journey",
            options={
                "ordering": ("name",),
                "permissions": (("publish_journey", "Can publish journey"),),
                "verbose_name": "journey",
                "verbose_name_plural": "journeys",
            },
        ),
        migrations.AddField(
            model_name="journey",
            name="draft_revision",
            field=models.PositiveIntegerField(
                default=0,
                editable=False,
                help_text="How often the draft was saved: two people at once notice each other by it.",
                verbose_name="draft's revision",
            ),
        ),
        migrations.CreateModel(
            name="DraftRevision",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField(verbose_name="revision")),
                ("document", models.JSONField(verbose_name="document")),
                ("saved_at", models.DateTimeField(verbose_name="saved at")),
                (
                    "journey",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="draft_revisions",
                        to="journeys.journey",
                        verbose_name="journey",
                    ),
                ),
                (
                    "saved_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="saved by",
                    ),
                ),
            ],
            options={
                "verbose_name": "draft revision",
                "verbose_name_plural": "draft revisions",
                "ordering": ("journey", "-number"),
                "constraints": [models.UniqueConstraint(fields=("journey", "number"), name="one_draft_of_a_number")],
            },
        ),
    )
