"""A partner token may manage webhooks."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("customers", "0007_identifier_kinds"),
    ]

    operations = [
        migrations.AlterField(
            model_name='partnertoken',
            name='scopes',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('customers:read', 'look up customers and their timeline'), ('customers:personal', 'see personal values unmasked'), ('events:write', 'send events'), ('event-types:read', 'read event types and their schemas'), ('segments:read', "read segments and who of one's own is in them"), ('segments:write', 'make segments, set their rules, put people on lists'), ('identity:assure', 'say that somebody was verified by log-in, code or document'), ('consent:read', 'read consent and permission'), ('consent:write', 'record grants and withdrawals'), ('privacy:read', "read privacy requests of one's own sources"), ('privacy:write', 'take down what people ask by law'), ('journeys:read', 'read journeys'), ('journeys:simulate', 'simulate journeys over all of the brand’s events: counts alone'), ('runs:read', 'read runs and refused entries'), ('runs:write', 'start and end runs'), ('messages:read', 'read messages and why they were sent or not'), ('webhooks:manage', "have one's own systems told of events, by webhooks")], max_length=24), size=None, verbose_name='scopes'),
        ),
    ]
