"""Other systems that are told of events: endpoints, what they were told, and how it went."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import customers.ids


class Migration(migrations.Migration):

    dependencies = [
        ("channels", "0002_callbacks_and_conversations"),
        ("customers", "0008_token_may_manage_webhooks"),
    ]

    operations = [
        migrations.CreateModel(
            name='WebhookEndpoint',
            fields=[
                ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('url', models.URLField(help_text='Begins with https://; each event is sent there by POST.', max_length=500, verbose_name='address')),
                ('events', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=120), help_text='Exact names, one a line. Names of what happens inside count as well: segment.entered.', size=None, verbose_name='events')),
                ('tells_personal', models.BooleanField(default=False, help_text='Values of events are masked without it: names, ids, times and yes or no are told.', verbose_name='tells personal data')),
                ('tells_history', models.BooleanField(default=False, help_text='Also of what imports fill in, and of whom a segment holds when it is first built.', verbose_name='tells history')),
                ('concurrency', models.PositiveSmallIntegerField(default=4, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(32)], verbose_name='calls at once')),
                ('secrets', models.BinaryField(blank=True, default=b'', verbose_name='secrets')),
                ('owner', models.CharField(help_text='Who is told when it fails: a person or a team.', max_length=200, verbose_name='owner')),
                ('documentation_url', models.URLField(blank=True, verbose_name='documentation')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('off_reason', models.CharField(blank=True, choices=[('by_hand', 'switched off'), ('gone', 'it answered that it is gone (410)'), ('failing', 'nothing but failure for days'), ('removed', 'removed')], editable=False, max_length=10, verbose_name='why it is off')),
                ('off_at', models.DateTimeField(editable=False, null=True, verbose_name='off since')),
                ('failing_since', models.DateTimeField(editable=False, help_text='Nothing has succeeded since then.', null=True, verbose_name='failing since')),
                ('warned_at', models.DateTimeField(editable=False, help_text='When a delivery had failed four times.', null=True, verbose_name='announced at')),
                ('rests_until', models.DateTimeField(editable=False, help_text='It asked to be left alone for so long.', null=True, verbose_name='rests until')),
                ('created_at', models.DateTimeField(editable=False, verbose_name='created at')),
                ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.brand', verbose_name='brand')),
                ('squad', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.squad', verbose_name='squad')),
                ('token', models.ForeignKey(blank=True, editable=False, help_text='By which it was made: it hears no more than this token may read.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.partnertoken', verbose_name='partner token')),
            ],
            options={
                'verbose_name': 'outgoing webhook',
                'verbose_name_plural': 'outgoing webhooks',
                'ordering': ('name',),
            },
        ),
        migrations.CreateModel(
            name='WebhookDelivery',
            fields=[
                ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('event_id', models.BigIntegerField(help_text='None of a test.', null=True, verbose_name='event')),
                ('received_at', models.DateTimeField(verbose_name='event received at')),
                ('profile_id', models.UUIDField(db_index=True, null=True, verbose_name='profile')),
                ('name', models.CharField(max_length=120, verbose_name='event name')),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('sending', 'in a worker’s hands'), ('delivered', 'delivered'), ('failed', 'failed'), ('cancelled', 'cancelled')], default='waiting', max_length=10, verbose_name='state')),
                ('queued_at', models.DateTimeField(help_text='By a replay anew.', verbose_name='queued at')),
                ('due_at', models.DateTimeField(verbose_name='due at')),
                ('settled_at', models.DateTimeField(null=True, verbose_name='settled at')),
                ('tries', models.SmallIntegerField(default=0, help_text='Those that count in the schedule.', verbose_name='tries')),
                ('attempts', models.IntegerField(default=0, verbose_name='attempts')),
                ('crashes', models.SmallIntegerField(default=0, verbose_name='workers that died over it')),
                ('replays', models.SmallIntegerField(default=0, verbose_name='replays')),
                ('lease_token', models.BigIntegerField(null=True, verbose_name='lease token')),
                ('status', models.SmallIntegerField(null=True, verbose_name='HTTP status')),
                ('reason', models.CharField(blank=True, default='', max_length=24, verbose_name='reason')),
                ('endpoint', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='channels.webhookendpoint', verbose_name='webhook')),
            ],
            options={
                'verbose_name': 'webhook delivery',
                'verbose_name_plural': 'webhook deliveries',
            },
        ),
        migrations.CreateModel(
            name='WebhookAttempt',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField(verbose_name='at')),
                ('status', models.SmallIntegerField(null=True, verbose_name='HTTP status')),
                ('reason', models.CharField(blank=True, default='', max_length=24, verbose_name='reason')),
                ('milliseconds', models.IntegerField(verbose_name='milliseconds')),
                ('reply', models.TextField(blank=True, default='', help_text='Its first 2,000 characters.', verbose_name='reply')),
                ('delivery', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tried', to='channels.webhookdelivery', verbose_name='webhook delivery')),
                ('endpoint', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='channels.webhookendpoint', verbose_name='webhook')),
            ],
            options={
                'verbose_name': 'attempt to deliver',
                'verbose_name_plural': 'attempts to deliver',
            },
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(condition=models.Q(('state__in', ('waiting', 'sending'))), fields=['endpoint', 'due_at'], name='webhook_delivery_due'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(fields=['endpoint', 'received_at'], name='webhook_delivery_by_time'),
        ),
        migrations.AddConstraint(
            model_name='webhookdelivery',
            constraint=models.UniqueConstraint(fields=('endpoint', 'event_id'), name='one_delivery_per_event'),
        ),
        migrations.AddIndex(
            model_name='webhookattempt',
            index=models.Index(fields=['endpoint', 'at'], include=('reason',), name='webhook_attempt_by_time'),
        ),
        migrations.AddIndex(
            model_name='webhookattempt',
            index=models.Index(condition=models.Q(('reason', ''), _negated=True), fields=['endpoint', 'at'], include=('reason',), name='webhook_failure'),
        ),
    ]
