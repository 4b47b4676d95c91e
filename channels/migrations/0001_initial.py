"""Connectors, templates, messages and what became of them, stops, exposures to arms."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import channels.models.message
import customers.ids
from customers.sql import CreateModels, append_only


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('consent', '0003_guards'),
    ]

    operations = [
        CreateModels(
            migrations.CreateModel(
                name='Connector',
                fields=[
                    ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                    ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='connectors', to='customers.brand', verbose_name='brand')),
                    ('squad', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.squad', verbose_name='squad')),
                    ('key', models.SlugField(max_length=64, verbose_name='key')),
                    ('name', models.CharField(max_length=200, verbose_name='name')),
                    ('channel', models.CharField(choices=[('email', 'e-mail'), ('sms', 'SMS'), ('whatsapp', 'WhatsApp'), ('push', 'push'), ('in_app', 'in-app'), ('web', 'web'), ('person', 'person'), ('webhook', 'calls of journeys')], max_length=10, verbose_name='channel')),
                    ('provider', models.CharField(max_length=32, verbose_name='provider')),
                    ('config', models.JSONField(blank=True, default=dict, verbose_name='configuration')),
                    ('credentials', models.BinaryField(blank=True, default=b'', help_text='Encrypted; write-only.', verbose_name='credentials')),
                    ('concurrency', models.PositiveSmallIntegerField(default=4, verbose_name='calls at once')),
                    ('is_active', models.BooleanField(default=True, verbose_name='active')),
                    ('owner', models.CharField(blank=True, max_length=200, verbose_name='owner')),
                    ('documentation_url', models.URLField(blank=True, verbose_name='documentation')),
                ],
                options={
                    'verbose_name': 'connector',
                    'verbose_name_plural': 'connectors',
                    'ordering': ('name',),
                    'constraints': [models.UniqueConstraint(fields=('brand', 'key'), name='one_connector_key_per_brand')],
                },
            ),
            migrations.CreateModel(
                name='Template',
                fields=[
                    ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                    ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='templates', to='customers.brand', verbose_name='brand')),
                    ('squad', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.squad', verbose_name='squad')),
                    ('key', models.SlugField(max_length=64, verbose_name='key')),
                    ('name', models.CharField(max_length=200, verbose_name='name')),
                    ('channel', models.CharField(choices=[('email', 'e-mail'), ('sms', 'SMS'), ('whatsapp', 'WhatsApp'), ('push', 'push'), ('in_app', 'in-app'), ('web', 'web'), ('person', 'person')], max_length=10, verbose_name='channel')),
                ],
                options={
                    'verbose_name': 'template',
                    'verbose_name_plural': 'templates',
                    'ordering': ('name',),
                    'constraints': [models.UniqueConstraint(fields=('brand', 'key'), name='one_template_key_per_brand')],
                },
            ),
            migrations.CreateModel(
                name='TemplateVersion',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('template', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='channels.template', verbose_name='template')),
                    ('number', models.PositiveIntegerField(verbose_name='version')),
                    ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created at')),
                ],
                options={
                    'verbose_name': 'template version',
                    'verbose_name_plural': 'template versions',
                    'constraints': [models.UniqueConstraint(fields=('template', 'number'), name='one_number_per_template')],
                },
            ),
            migrations.CreateModel(
                name='TemplateText',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='texts', to='channels.templateversion', verbose_name='version')),
                    ('locale', models.CharField(max_length=20, verbose_name='locale')),
                    ('subject', models.CharField(blank=True, max_length=500, verbose_name='subject')),
                    ('html', models.TextField(blank=True, verbose_name='HTML')),
                    ('text', models.TextField(verbose_name='text')),
                ],
                options={
                    'verbose_name': 'template text',
                    'verbose_name_plural': 'template texts',
                    'constraints': [models.UniqueConstraint(fields=('version', 'locale'), name='one_template_text_per_locale')],
                },
            ),
            migrations.CreateModel(
                name='Message',
                fields=[
                    ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                    ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.brand', verbose_name='brand')),
                    ('origin_kind', models.CharField(choices=[('run', 'journey run'), ('broadcast', 'broadcast'), ('case', 'case'), ('consent', 'consent'), ('test', 'test')], max_length=10, verbose_name='origin')),
                    ('origin_id', models.CharField(max_length=36, verbose_name='origin id')),
                    ('visit', models.IntegerField(help_text="Which visit of its step, by the run's sequence.", verbose_name='visit')),
                    ('copy_key', models.CharField(help_text='Journey, step and entry key, or broadcast: one address gets one copy a day.', max_length=300, verbose_name='copy key')),
                    ('step_id', models.GeneratedField(db_persist=True, expression=models.Case(models.When(origin_kind='run', then=channels.models.message.SplitPart('copy_key', ':', 2)), default=models.Value('')), output_field=models.CharField(max_length=300), verbose_name='step')),
                    ('scope_id', models.UUIDField(verbose_name='scope')),
                    ('channel', models.CharField(choices=[('email', 'e-mail'), ('sms', 'SMS'), ('whatsapp', 'WhatsApp'), ('push', 'push'), ('in_app', 'in-app'), ('web', 'web'), ('person', 'person')], max_length=10, verbose_name='channel')),
                    ('connector', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='channels.connector', verbose_name='connector')),
                    ('template_version', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='channels.templateversion', verbose_name='template')),
                    ('purpose', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consent.purpose', verbose_name='purpose')),
                    ('profile', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='customers.profile', verbose_name='profile')),
                    ('address', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='customers.address', verbose_name='address')),
                    ('state', models.CharField(choices=[('queued', 'queued'), ('held', 'held'), ('leased', 'leased'), ('dispatching', 'dispatching'), ('sent', 'sent'), ('delivered', 'delivered'), ('opened', 'opened'), ('clicked', 'clicked'), ('suppressed', 'suppressed'), ('failed', 'failed'), ('unknown', 'unknown'), ('expired', 'expired'), ('cancelled', 'cancelled')], max_length=12, verbose_name='state')),
                    ('reason', models.CharField(blank=True, choices=[('no_address', 'no address for the channel'), ('no_consent', 'no consent'), ('withdrawn', 'consent withdrawn'), ('consent_expired', 'consent expired'), ('too_young', 'too young to agree when they did, and no parent did'), ('basis_elsewhere', 'its legal basis is none under the law the person is under'), ('not_informed', 'which notice was shown is not known, as the law the person is under asks'), ('consent_unsettled', 'a consent of the person could not be applied yet'), ('paused', 'the person has paused messages'), ('too_often', 'more often than the person wants'), ('suppressed', 'address suppressed'), ('restricted', 'the person had processing restricted'), ('address_duplicate', 'address already had this one'), ('acted', 'the person acted first'), ('ended', 'the run had ended'), ('merged', 'the run was merged into another'), ('moved', 'the run was moved to another version'), ('stopped', 'sending was stopped'), ('erased', 'the person was erased'), ('late', 'past its not-later-than time'), ('unresolved', 'an identity of the person is just being resolved'), ('template_error', 'the template could not be rendered'), ('missing_field', 'a field the template needs is missing'), ('connector_off', 'the connector is switched off'), ('refused', 'the provider refused it'), ('trouble', 'the provider was in trouble'), ('interrupted', 'the call was interrupted'), ('crashed', 'its worker died each time')], max_length=20, verbose_name='reason')),
                    ('detail', models.CharField(blank=True, max_length=500, verbose_name='detail')),
                    ('created_at', models.DateTimeField(verbose_name='created at')),
                    ('due_at', models.DateTimeField(verbose_name='due at')),
                    ('expires_at', models.DateTimeField(verbose_name='not later than')),
                    ('attempts', models.SmallIntegerField(default=0, verbose_name='attempts')),
                    ('crashes', models.SmallIntegerField(default=0, help_text='How often its worker died before the call.', verbose_name='crashes')),
                    ('lease_token', models.BigIntegerField(null=True, verbose_name='lease')),
                    ('leased_until', models.DateTimeField(null=True, verbose_name='leased until')),
                    ('settled_at', models.DateTimeField(null=True, verbose_name='sent or settled at')),
                    ('provider_id', models.CharField(blank=True, max_length=200, verbose_name="provider's id")),
                    ('entry_consent_id', models.BigIntegerField(null=True, verbose_name='consent at entry')),
                    ('send_consent_id', models.BigIntegerField(null=True, verbose_name='consent at send')),
                    ('address_verified_at', models.DateTimeField(help_text='As of the choice: the address last verified comes first.', null=True, verbose_name='address verified at')),
                    ('address_seen_at', models.DateTimeField(help_text='As of the choice: of addresses never verified, the last seen.', null=True, verbose_name='address seen at')),
                    ('addresses_known', models.SmallIntegerField(help_text='Of how many of the channel this one was chosen.', null=True, verbose_name='addresses known')),
                    ('locale', models.CharField(blank=True, db_default='', default='', help_text='Of the text that was sent.', max_length=20, verbose_name='language')),
                    ('decision', models.JSONField(help_text='Which guards were asked when it was to go, and the event that decided.', null=True, verbose_name='decision')),
                ],
                options={
                    'verbose_name': 'message',
                    'verbose_name_plural': 'messages',
                    'indexes': [models.Index(condition=models.Q(('state__in', ('queued', 'held'))), fields=['connector', 'due_at'], name='message_waiting'), models.Index(condition=models.Q(('state__in', ('leased', 'dispatching'))), fields=['leased_until'], name='message_in_hand'), models.Index(fields=['created_at'], name='message_by_time'), models.Index(fields=['scope_id', 'created_at'], name='message_by_scope'), models.Index(condition=models.Q(('state__in', ('held', 'suppressed', 'failed', 'unknown', 'expired', 'cancelled'))), fields=['state', 'created_at'], name='message_not_sent'), models.Index(condition=models.Q(('reason', ''), _negated=True), fields=['reason', 'created_at'], name='message_by_reason'), models.Index(condition=models.Q(('state__in', ('sent', 'delivered', 'opened', 'clicked', 'unknown'))), fields=['address', 'settled_at'], name='message_taken'), models.Index(condition=models.Q(('settled_at__isnull', False)), fields=['scope_id', 'settled_at'], include=('step_id', 'state', 'reason', 'profile'), name='message_settled')],
                    'constraints': [models.UniqueConstraint(fields=('origin_id', 'visit', 'channel', 'address', 'origin_kind'), name='one_message_per_visit_and_address', nulls_distinct=False)],
                },
            ),
            migrations.CreateModel(
                name='MessageContent',
                fields=[
                    ('message', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='content', serialize=False, to='channels.message')),
                    ('context', models.JSONField(help_text="The journey's variables the template sees.", verbose_name='context')),
                    ('journey', models.JSONField(help_text='Its typed variables, where the template names any.', null=True, verbose_name='journey')),
                    ('subject', models.TextField(blank=True, verbose_name='subject')),
                    ('body', models.TextField(blank=True, verbose_name='body')),
                ],
                options={
                    'verbose_name': 'message content',
                    'verbose_name_plural': 'message contents',
                },
            ),
            migrations.CreateModel(
                name='RecentSend',
                fields=[
                    ('pk', models.CompositePrimaryKey('address_id', 'copy_key', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('address', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.address')),
                    ('copy_key', models.CharField(max_length=300, verbose_name='copy key')),
                    ('sent_at', models.DateTimeField(verbose_name='sent at')),
                    ('message_id', models.UUIDField(verbose_name='message')),
                ],
                options={
                    'verbose_name': 'recent send',
                    'verbose_name_plural': 'recent sends',
                },
            ),
            migrations.CreateModel(
                name='SendStop',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('scope_id', models.UUIDField(verbose_name='scope')),
                    ('reason', models.CharField(blank=True, max_length=500, verbose_name='reason')),
                    ('stopped_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                    ('stopped_at', models.DateTimeField(verbose_name='stopped at')),
                    ('released_at', models.DateTimeField(blank=True, null=True, verbose_name='released at')),
                ],
                options={
                    'verbose_name': 'stop',
                    'verbose_name_plural': 'stops',
                    'constraints': [models.UniqueConstraint(condition=models.Q(('released_at__isnull', True)), fields=('scope_id',), name='one_standing_stop_per_scope')],
                },
            ),
            migrations.CreateModel(
                name='Exposure',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('brand', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='customers.brand', verbose_name='brand')),
                    ('scope_id', models.UUIDField(verbose_name='stands in')),
                    ('key', models.CharField(max_length=60, verbose_name='experiment')),
                    ('unit', models.CharField(max_length=40, verbose_name='drawn for')),
                    ('arm', models.CharField(max_length=60, verbose_name='arm')),
                    ('is_holdout', models.BooleanField(default=False, verbose_name='held out')),
                    ('profile', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='customers.profile', verbose_name='profile')),
                    ('run_id', models.BigIntegerField(null=True, verbose_name='run')),
                    ('at', models.DateTimeField(verbose_name='at')),
                ],
                options={
                    'verbose_name': 'exposure',
                    'verbose_name_plural': 'exposures',
                    'constraints': [models.UniqueConstraint(fields=('scope_id', 'key', 'unit'), name='one_first_exposure')],
                },
            ),
        ),
        append_only("channels_exposure"),
    ]
