"""Segments, their versions, who is in them and who is to be looked at."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import customers.ids
from customers.sql import CreateModels


class Migration(migrations.Migration):

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('customers', '0004_events'),
    ]

    operations = [
        CreateModels(
            migrations.CreateModel(
                name='Segment',
                fields=[
                    ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                    ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.brand', verbose_name='brand')),
                    ('squad', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.squad', verbose_name='squad')),
                    ('key', models.CharField(help_text='What rules, journeys and partners call it; never changed.', max_length=64, validators=[django.core.validators.RegexValidator('^[a-z][a-z0-9_.]{0,63}\\Z', 'Small letters, digits, _ and dots.')], verbose_name='key')),
                    ('name', models.CharField(max_length=200, verbose_name='name')),
                    ('description', models.TextField(blank=True, verbose_name='description')),
                    ('is_static', models.BooleanField(default=False, help_text='People are put on a list by hand or by a partner; no rule chooses them.', verbose_name='list')),
                    ('rule', models.JSONField(blank=True, null=True, verbose_name='rule')),
                    ('rule_version', models.PositiveIntegerField(default=0, verbose_name='version of the rule')),
                    ('builds', models.PositiveIntegerField(default=0, editable=False, help_text='Of several asked for, the last is done.', verbose_name='builds')),
                    ('state', models.CharField(choices=[('draft', 'without a rule'), ('building', 'being built'), ('stopped', 'build given up'), ('live', 'live'), ('archived', 'archived')], default='draft', max_length=8, verbose_name='state')),
                    ('size', models.BigIntegerField(default=0, verbose_name='people')),
                    ('counted_at', models.DateTimeField(blank=True, null=True, verbose_name='counted at')),
                    ('built_at', models.DateTimeField(blank=True, null=True, verbose_name='built at')),
                    ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created at')),
                    ('is_personal', models.BooleanField(default=False, editable=False, help_text='Its rule asks personal data: who is in it is shown to those who may read that.', verbose_name='personal')),
                ],
                options={
                    'verbose_name': 'segment',
                    'verbose_name_plural': 'segments',
                    'ordering': ('name',),
                    'constraints': [models.UniqueConstraint(fields=('brand', 'key'), name='one_segment_key_per_brand')],
                },
            ),
            migrations.CreateModel(
                name='SegmentVersion',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('segment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='customers.segment', verbose_name='segment')),
                    ('number', models.PositiveIntegerField(verbose_name='number')),
                    ('rule', models.JSONField(verbose_name='rule')),
                    ('made_at', models.DateTimeField(verbose_name='made at')),
                    ('made_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='made by')),
                ],
                options={
                    'verbose_name': 'version of a segment',
                    'verbose_name_plural': 'versions of segments',
                    'ordering': ('-number',),
                    'constraints': [models.UniqueConstraint(fields=('segment', 'number'), name='one_segment_version_per_number')],
                },
            ),
            migrations.CreateModel(
                name='SegmentInput',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('segment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='inputs', to='customers.segment', verbose_name='segment')),
                    ('kind', models.CharField(choices=[('trait', 'trait'), ('event', 'event'), ('identifier', 'identifier'), ('segment', 'segment'), ('new', 'new customer')], max_length=10, verbose_name='kind')),
                    ('name', models.CharField(blank=True, max_length=120, verbose_name='name')),
                ],
                options={
                    'verbose_name': 'input of a segment',
                    'verbose_name_plural': 'inputs of segments',
                    'constraints': [models.UniqueConstraint(fields=('segment', 'kind', 'name'), name='one_row_per_segment_input')],
                },
            ),
            migrations.CreateModel(
                name='SegmentMembership',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('segment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='customers.segment', verbose_name='segment')),
                    ('profile', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='customers.profile', verbose_name='profile')),
                    ('customer_id', models.UUIDField(verbose_name='customer')),
                    ('entered_at', models.DateTimeField(verbose_name='in it since')),
                    ('left_at', models.DateTimeField(blank=True, null=True, verbose_name='until')),
                    ('rule_version', models.PositiveIntegerField(default=0, verbose_name='version of the rule')),
                    ('historical', models.BooleanField(default=False, help_text='Found by a build or an import: it started nothing.', verbose_name='historical')),
                ],
                options={
                    'verbose_name': 'membership',
                    'verbose_name_plural': 'memberships',
                    'indexes': [models.Index(fields=['customer_id', 'segment'], name='membership_by_customer')],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('left_at__isnull', True)), fields=('segment', 'profile'), name='one_open_membership_per_profile')],
                },
            ),
            migrations.CreateModel(
                name='SegmentItem',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('segment', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='customers.segment', verbose_name='segment')),
                    ('profile_id', models.UUIDField(verbose_name='profile')),
                    ('event_id', models.BigIntegerField(null=True, verbose_name='event')),
                    ('hops', models.SmallIntegerField(default=0, verbose_name='hops')),
                    ('historical', models.BooleanField(default=False, verbose_name='historical')),
                    ('queued_at', models.DateTimeField(verbose_name='queued at')),
                ],
                options={
                    'verbose_name': 'person to look at again',
                    'verbose_name_plural': 'segment queue',
                    'db_table': 'customers_segment_queue',
                },
            ),
            migrations.CreateModel(
                name='SegmentTurn',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('segment', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='customers.segment', verbose_name='segment')),
                    ('profile_id', models.UUIDField(verbose_name='profile')),
                    ('due_at', models.DateTimeField(verbose_name='due at')),
                ],
                options={
                    'verbose_name': 'turn of time',
                    'verbose_name_plural': 'turns of time',
                    'db_table': 'customers_segment_turn',
                    'indexes': [models.Index(fields=['due_at'], name='segment_turn_due')],
                    'constraints': [models.UniqueConstraint(fields=('segment', 'profile_id'), name='one_turn_per_person')],
                },
            ),
            migrations.CreateModel(
                name='SegmentSize',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('segment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sizes', to='customers.segment', verbose_name='segment')),
                    ('day', models.DateField(verbose_name='day')),
                    ('size', models.BigIntegerField(verbose_name='people')),
                ],
                options={
                    'verbose_name': 'size of a segment',
                    'verbose_name_plural': 'sizes of segments',
                    'constraints': [models.UniqueConstraint(fields=('segment', 'day'), name='one_size_per_day')],
                },
            ),
        ),
    ]
