"""Events from the inbox on: queues and what is in work, what was refused, imported, and is kept no longer."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import customers.ids
from customers.sql import CreateModels


class Migration(migrations.Migration):

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('customers', '0003_people'),
    ]

    operations = [
        CreateModels(
            migrations.CreateModel(
                name='InboxItem',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('received_at', models.DateTimeField(verbose_name='received at')),
                    ('source', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='customers.source')),
                    ('message_id', models.CharField(max_length=100, verbose_name='message id')),
                    ('kind', models.CharField(max_length=8, verbose_name='kind')),
                    ('name', models.CharField(max_length=120, verbose_name='event name')),
                    ('occurred_at', models.DateTimeField(verbose_name='occurred at')),
                    ('schema_version_id', models.BigIntegerField(null=True, verbose_name='schema version')),
                    ('historical', models.BooleanField(default=False, verbose_name='historical')),
                    ('unplanned', models.BooleanField(db_default=False, default=False, help_text='No event type, and the source marks such events.', verbose_name='unplanned')),
                    ('time_source', models.SmallIntegerField(choices=[(0, 'the sender'), (1, 'the server, since the sender told none'), (2, 'the sender, whose clock was corrected'), (3, 'the sender, whose clock is ahead')], db_default=0, default=0, verbose_name='time from')),
                    ('assurance', models.SmallIntegerField(choices=[(1, 'claimed'), (2, 'observed'), (3, 'verified by log-in'), (4, 'verified by one-time code'), (5, 'verified by document'), (6, 'decided by a person')], help_text='How sure its sender says to be of whom.', null=True, verbose_name='assurance')),
                    ('identifiers', models.TextField(verbose_name='identifiers')),
                    ('identifier_keys', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                    ('payload', models.TextField(verbose_name='payload')),
                ],
                options={
                    'verbose_name': 'inbox item',
                    'verbose_name_plural': 'inbox',
                    'db_table': 'customers_inbox',
                    'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['identifier_keys'], name='inbox_identifier_keys')],
                },
            ),
            migrations.CreateModel(
                name='MessageKey',
                fields=[
                    ('key', models.UUIDField(primary_key=True, serialize=False)),
                    ('fingerprint', models.UUIDField(verbose_name='fingerprint')),
                    ('received_at', models.DateTimeField(verbose_name='received at')),
                ],
                options={
                    'verbose_name': 'message key',
                    'verbose_name_plural': 'message keys',
                },
            ),
            migrations.CreateModel(
                name='Event',
                fields=[
                    ('id', models.BigIntegerField(primary_key=True, serialize=False)),
                    ('received_at', models.DateTimeField(verbose_name='received at')),
                    ('occurred_at', models.DateTimeField(verbose_name='occurred at')),
                    ('brand', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='customers.brand')),
                    ('source', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='customers.source')),
                    ('profile', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='customers.profile')),
                    ('kind', models.CharField(max_length=8, verbose_name='kind')),
                    ('name', models.CharField(max_length=120, verbose_name='name')),
                    ('message_id', models.CharField(max_length=100, verbose_name='message id')),
                    ('schema_version_id', models.BigIntegerField(null=True, verbose_name='schema version')),
                    ('historical', models.BooleanField(default=False, verbose_name='historical')),
                    ('unplanned', models.BooleanField(db_default=False, default=False, help_text='No event type, and the source marks such events.', verbose_name='unplanned')),
                    ('time_source', models.SmallIntegerField(choices=[(0, 'the sender'), (1, 'the server, since the sender told none'), (2, 'the sender, whose clock was corrected'), (3, 'the sender, whose clock is ahead')], default=0, verbose_name='time from')),
                    ('cause_id', models.BigIntegerField(help_text='The event an internal event follows from.', null=True, verbose_name='cause')),
                    ('hops', models.SmallIntegerField(default=0, verbose_name='hops')),
                ],
                options={
                    'verbose_name': 'event',
                    'verbose_name_plural': 'events',
                    'ordering': ('-received_at', '-id'),
                    'managed': False,
                },
            ),
            migrations.CreateModel(
                name='EventPayload',
                fields=[
                    ('event_id', models.BigIntegerField(primary_key=True, serialize=False)),
                    ('received_at', models.DateTimeField(verbose_name='received at')),
                    ('payload', models.JSONField(verbose_name='payload')),
                ],
                options={
                    'verbose_name': 'event payload',
                    'verbose_name_plural': 'event payloads',
                    'managed': False,
                },
            ),
            migrations.CreateModel(
                name='AwaitedName',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=120, verbose_name='event name')),
                    ('waiter', models.CharField(help_text='Who waits, as kind:id, e.g. journey_version:7.', max_length=100, verbose_name='waiter')),
                ],
                options={
                    'verbose_name': 'awaited name',
                    'verbose_name_plural': 'awaited names',
                    'constraints': [models.UniqueConstraint(fields=('name', 'waiter'), name='one_row_per_waiter_and_name')],
                },
            ),
            migrations.CreateModel(
                name='MatchItem',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('event_id', models.BigIntegerField(verbose_name='event')),
                    ('received_at', models.DateTimeField(verbose_name='received at')),
                    ('occurred_at', models.DateTimeField(verbose_name='occurred at')),
                    ('profile_id', models.UUIDField(db_index=True, verbose_name='profile')),
                    ('brand_id', models.UUIDField(verbose_name='brand')),
                    ('name', models.CharField(max_length=120, verbose_name='event name')),
                    ('message_id', models.CharField(max_length=100, verbose_name='message id')),
                ],
                options={
                    'verbose_name': 'event to match',
                    'verbose_name_plural': 'match queue',
                    'db_table': 'customers_match_queue',
                },
            ),
            migrations.CreateModel(
                name='MergeItem',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('profile_id', models.UUIDField(db_index=True, verbose_name='profile')),
                    ('from_customer_id', models.UUIDField(verbose_name='from customer')),
                    ('to_customer_id', models.UUIDField(verbose_name='to customer')),
                    ('queued_at', models.DateTimeField(verbose_name='queued at')),
                ],
                options={
                    'verbose_name': 'merge to follow',
                    'verbose_name_plural': 'merge queue',
                    'db_table': 'customers_merge_queue',
                },
            ),
            migrations.CreateModel(
                name='BatchClaim',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('queue', models.CharField(max_length=32, verbose_name='queue')),
                    ('unit_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                    ('started_at', models.DateTimeField(verbose_name='started at')),
                ],
                options={
                    'verbose_name': 'batch in work',
                    'verbose_name_plural': 'batches in work',
                },
            ),
            migrations.CreateModel(
                name='UnitAttempt',
                fields=[
                    ('pk', models.CompositePrimaryKey('queue', 'unit_id', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('queue', models.CharField(max_length=32, verbose_name='queue')),
                    ('unit_id', models.BigIntegerField(verbose_name='unit')),
                    ('attempts', models.SmallIntegerField(verbose_name='attempts')),
                    ('reason', models.TextField(verbose_name='reason')),
                    ('next_at', models.DateTimeField(verbose_name='next attempt at')),
                ],
                options={
                    'verbose_name': 'unit attempt',
                    'verbose_name_plural': 'unit attempts',
                },
            ),
            migrations.CreateModel(
                name='DeadLetter',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('at', models.DateTimeField(verbose_name='at')),
                    ('queue', models.CharField(max_length=32, verbose_name='queue')),
                    ('unit_id', models.BigIntegerField(verbose_name='unit')),
                    ('reason', models.TextField(verbose_name='reason')),
                    ('attempts', models.SmallIntegerField(verbose_name='attempts')),
                    ('row', models.JSONField(help_text='The queue row as it stood; replay puts it back.', verbose_name='row')),
                    ('replayed_at', models.DateTimeField(blank=True, null=True, verbose_name='replayed at')),
                ],
                options={
                    'verbose_name': 'dead letter',
                    'verbose_name_plural': 'dead letters',
                    'ordering': ('-id',),
                    'indexes': [models.Index(fields=['queue', 'unit_id'], name='dead_letter_by_unit')],
                },
            ),
            migrations.CreateModel(
                name='QuarantinedEvent',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('received_at', models.DateTimeField(db_index=True, verbose_name='received at')),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.source', verbose_name='source')),
                    ('door', models.CharField(max_length=20, verbose_name='door')),
                    ('code', models.CharField(db_index=True, max_length=64, verbose_name='code')),
                    ('pointer', models.CharField(blank=True, max_length=500, verbose_name='pointer')),
                    ('detail', models.TextField(blank=True, verbose_name='detail')),
                    ('message_id', models.CharField(blank=True, max_length=100, verbose_name='message id')),
                    ('name', models.CharField(blank=True, max_length=120, verbose_name='event name')),
                    ('raw', models.TextField(help_text='The refused item as it came, at most 64 KB.', verbose_name='raw')),
                    ('from_page', models.BooleanField(db_default=False, default=False, help_text='Sent with a browser key: what it says of who somebody is counts as a claim, also when replayed.', verbose_name='from a page')),
                    ('naming', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), db_default=[], default=list, editable=False, size=None)),
                    ('body_id', models.BigIntegerField(editable=False, null=True, verbose_name='received body')),
                    ('status', models.CharField(choices=[('open', 'open'), ('replayed', 'replayed'), ('discarded', 'discarded')], default='open', max_length=10, verbose_name='status')),
                    ('settled_at', models.DateTimeField(blank=True, null=True, verbose_name='settled at')),
                    ('reason', models.CharField(blank=True, choices=[('test', 'a test, never meant to count'), ('broken', 'broken beyond mending'), ('stale', 'too old to matter'), ('repeated', 'sent again since, in order'), ('unwanted', 'nothing we want to have'), ('erased', 'of somebody who was erased')], db_default='', help_text='Why it was discarded.', max_length=10, verbose_name='reason')),
                    ('last_code', models.CharField(blank=True, db_default='', max_length=64, verbose_name='refused again by')),
                    ('tried_at', models.DateTimeField(blank=True, null=True, verbose_name='tried at')),
                ],
                options={
                    'verbose_name': 'quarantined event',
                    'verbose_name_plural': 'quarantine',
                    'ordering': ('-id',),
                    'indexes': [models.Index(fields=['source', 'code', 'status'], name='quarantine_by_source_and_code'), django.contrib.postgres.indexes.GinIndex(fields=['naming'], name='quarantine_naming')],
                },
            ),
            migrations.CreateModel(
                name='Import',
                fields=[
                    ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.source', verbose_name='source')),
                    ('rows', models.CharField(choices=[('customers', 'customers'), ('events', 'events'), ('consents', 'consents')], max_length=10, verbose_name='each row is')),
                    ('file_name', models.CharField(max_length=200, verbose_name='file')),
                    ('size', models.BigIntegerField(verbose_name='bytes')),
                    ('digest', models.CharField(max_length=64, verbose_name='SHA-256')),
                    ('encoding', models.CharField(choices=[('utf-8', 'UTF-8'), ('utf-16-le', 'UTF-16 LE'), ('utf-16-be', 'UTF-16 BE'), ('cp1252', 'Windows-1252')], max_length=10, verbose_name='encoding')),
                    ('mark', models.PositiveSmallIntegerField(default=0)),
                    ('delimiter', models.CharField(choices=[(',', 'comma ,'), (';', 'semicolon ;'), ('\t', 'tab'), ('|', 'pipe |')], max_length=1, verbose_name='between cells')),
                    ('has_header', models.BooleanField(default=True, verbose_name='the first row names the columns')),
                    ('columns', models.JSONField(default=list, verbose_name='columns')),
                    ('choices', models.JSONField(default=dict)),
                    ('mapping', models.JSONField(default=dict, verbose_name='mapping')),
                    ('job', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.job', verbose_name='job')),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='handed in by')),
                    ('created_at', models.DateTimeField(verbose_name='handed in at')),
                    ('removed_at', models.DateTimeField(null=True, verbose_name='file removed at')),
                ],
                options={
                    'verbose_name': 'import',
                    'verbose_name_plural': 'imports',
                    'ordering': ('-created_at',),
                    'indexes': [models.Index(condition=models.Q(('removed_at', None)), fields=['created_at'], name='import_file_is_kept')],
                },
            ),
            migrations.CreateModel(
                name='ImportChunk',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('parent', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.import', verbose_name='import')),
                    ('number', models.PositiveIntegerField(verbose_name='number')),
                    ('data', models.BinaryField(verbose_name='bytes')),
                ],
                options={
                    'verbose_name': 'piece of an imported file',
                    'verbose_name_plural': 'pieces of imported files',
                    'constraints': [models.UniqueConstraint(fields=('parent', 'number'), name='one_chunk_of_a_number')],
                },
            ),
            migrations.CreateModel(
                name='RefusedRow',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('parent', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.import', verbose_name='import')),
                    ('row', models.BigIntegerField(verbose_name='row')),
                    ('code', models.CharField(max_length=64, verbose_name='reason')),
                    ('message', models.TextField(verbose_name='message')),
                    ('hint', models.TextField(blank=True, verbose_name='hint')),
                    ('place', models.CharField(blank=True, max_length=500, verbose_name='place')),
                    ('cells', models.JSONField(default=list, verbose_name='cells')),
                ],
                options={
                    'verbose_name': 'refused row',
                    'verbose_name_plural': 'refused rows',
                    'ordering': ('row',),
                    'constraints': [models.UniqueConstraint(fields=('parent', 'row'), name='one_refusal_of_a_row')],
                },
            ),
            migrations.CreateModel(
                name='RetentionRule',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('kind', models.CharField(max_length=40, verbose_name='what')),
                    ('brand', models.ForeignKey(blank=True, help_text='Empty: every brand that has no rule of its own.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.brand', verbose_name='brand')),
                    ('days', models.PositiveIntegerField(validators=[django.core.validators.MinValueValidator(1)], verbose_name='days')),
                ],
                options={
                    'verbose_name': 'retention rule',
                    'verbose_name_plural': 'retention',
                    'ordering': ('kind', 'brand__name'),
                    'constraints': [models.UniqueConstraint(fields=('kind', 'brand'), name='one_retention_rule_per_kind_and_brand', nulls_distinct=False)],
                },
            ),
            migrations.CreateModel(
                name='RetentionRecord',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('job', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='customers.job')),
                    ('kind', models.CharField(max_length=40, verbose_name='what')),
                    ('brand', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.brand', verbose_name='brand')),
                    ('partition', models.CharField(blank=True, max_length=63, verbose_name='partition')),
                    ('cutoff', models.DateTimeField(verbose_name='older than')),
                    ('rows', models.BigIntegerField(default=0, verbose_name='rows')),
                    ('oldest', models.DateTimeField(null=True, verbose_name='the oldest')),
                    ('newest', models.DateTimeField(null=True, verbose_name='the newest')),
                    ('at', models.DateTimeField(verbose_name='at')),
                ],
                options={
                    'verbose_name': 'what retention took',
                    'verbose_name_plural': 'what retention took',
                    'ordering': ('-id',),
                    'constraints': [models.UniqueConstraint(fields=('job', 'kind', 'brand', 'partition'), name='one_record_per_run_and_kind', nulls_distinct=False)],
                },
            ),
        ),
    ]
