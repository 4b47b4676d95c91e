"""Who proposed and approved schema versions and what each follows; what sources may send; a mark for the unplanned."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# Events are not managed by Django. What a source marks as unplanned is found by an index that the rest is not in.
UNPLANNED = """
    ALTER TABLE customers_event ADD COLUMN unplanned boolean NOT NULL DEFAULT false;
    CREATE INDEX event_unplanned ON customers_event (brand_id, received_at) WHERE unplanned;
"""
NO_MARK = "ALTER TABLE customers_event DROP COLUMN unplanned"
# Versions that were approved before anybody noted which version each of them followed.
FOLLOWS = """
    UPDATE customers_schemaversion v SET follows_id = (
        SELECT b.id FROM customers_schemaversion b
        WHERE b.event_type_id = v.event_type_id AND b.number < v.number AND b.status <> 'draft'
        ORDER BY b.number DESC LIMIT 1
    ) WHERE v.status <> 'draft';
    SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):

    dependencies = [
        ("customers", "0020_retention"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SourceEventType',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('default_version', models.PositiveIntegerField(blank=True, help_text='What events that name no version are held to; empty: the latest approved.', null=True, verbose_name='default version')),
            ],
            options={
                'verbose_name': 'event type of a source',
                'verbose_name_plural': 'event types of sources',
            },
        ),
        migrations.AlterModelOptions(
            name='schemaversion',
            options={'ordering': ('event_type', '-number'), 'permissions': (('approve_schemaversion', 'Can approve and deprecate schema versions'),), 'verbose_name': 'schema version', 'verbose_name_plural': 'schema versions'},
        ),
        migrations.AddField(
            model_name='brand',
            name='second_person_approves',
            field=models.BooleanField(default=False, help_text='Whoever proposes a schema version does not approve it.', verbose_name='a second person approves schemas'),
        ),
        migrations.AddField(
            model_name='inboxitem',
            name='unplanned',
            field=models.BooleanField(db_default=False, default=False, help_text='No event type, and the source marks such events.', verbose_name='unplanned'),
        ),
        migrations.AddField(
            model_name='schemaversion',
            name='approved_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='approved at'),
        ),
        migrations.AddField(
            model_name='schemaversion',
            name='approved_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='approved by'),
        ),
        migrations.AddField(
            model_name='schemaversion',
            name='deprecated_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='deprecated at'),
        ),
        migrations.AddField(
            model_name='schemaversion',
            name='deprecated_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='deprecated by'),
        ),
        migrations.AddField(
            model_name='schemaversion',
            name='follows',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.schemaversion', verbose_name='follows'),
        ),
        migrations.AddField(
            model_name='schemaversion',
            name='proposed_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='proposed at'),
        ),
        migrations.AddField(
            model_name='schemaversion',
            name='proposed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='proposed by'),
        ),
        migrations.AddField(
            model_name='source',
            name='only_listed',
            field=models.BooleanField(default=False, help_text='Events of other types are refused, also planned ones.', verbose_name='only the types listed'),
        ),
        migrations.AlterField(
            model_name='source',
            name='unplanned',
            field=models.CharField(choices=[('accept', 'accept without a schema'), ('mark', 'accept and mark'), ('quarantine', 'refuse into quarantine')], default='accept', max_length=12, verbose_name='unplanned events'),
        ),
        migrations.AlterField(
            model_name='partnertoken',
            name='scopes',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('customers:read', 'look up customers and their timeline'), ('customers:personal', 'see personal values unmasked'), ('events:write', 'send events'), ('event-types:read', 'read event types and their schemas'), ('identity:assure', 'say that somebody was verified by log-in, code or document'), ('consent:read', 'read consent and permission'), ('consent:write', 'record grants and withdrawals'), ('journeys:read', 'read journeys'), ('runs:read', 'read runs and refused entries'), ('runs:write', 'start and end runs'), ('messages:read', 'read messages and why they were sent or not')], max_length=24), size=None, verbose_name='scopes'),
        ),
        migrations.RunSQL(FOLLOWS, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name='schemaversion',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'draft'), _negated=True), fields=('event_type', 'follows'), name='one_version_follows_another', nulls_distinct=False),
        ),
        migrations.AddField(
            model_name='sourceeventtype',
            name='event_type',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.eventtype', verbose_name='event type'),
        ),
        migrations.AddField(
            model_name='sourceeventtype',
            name='source',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='event_types', to='customers.source', verbose_name='source'),
        ),
        migrations.AddConstraint(
            model_name='sourceeventtype',
            constraint=models.UniqueConstraint(fields=('source', 'event_type'), name='one_row_per_source_and_type'),
        ),
        migrations.RunSQL(UNPLANNED, NO_MARK),
    ]
