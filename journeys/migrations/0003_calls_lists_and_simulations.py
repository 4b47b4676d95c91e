"""Calls to other systems, lists of people who are called in, simulations."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import customers.ids
from customers.sql import CreateModels


class Migration(migrations.Migration):

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('journeys', '0002_maps'),
    ]

    operations = [
        CreateModels(
            migrations.CreateModel(
                name='Call',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='journeys.run', verbose_name='run')),
                    ('visit', models.IntegerField(help_text='The run’s move that led to the step.', verbose_name='visit')),
                    ('journey', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='journeys.journey', verbose_name='journey')),
                    ('version', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='journeys.journeyversion', verbose_name='version')),
                    ('profile', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='customers.profile', verbose_name='profile')),
                    ('step', models.SmallIntegerField(verbose_name='step')),
                    ('connector_id', models.UUIDField(verbose_name='connector')),
                    ('state', models.CharField(choices=[('waiting', 'waiting'), ('calling', 'in a worker’s hands'), ('answered', 'answered'), ('failed', 'failed'), ('left', 'no longer needed')], default='waiting', max_length=10, verbose_name='state')),
                    ('created_at', models.DateTimeField(verbose_name='created at')),
                    ('due_at', models.DateTimeField(verbose_name='due at')),
                    ('settled_at', models.DateTimeField(null=True, verbose_name='settled at')),
                    ('attempts', models.IntegerField(default=0, verbose_name='attempts')),
                    ('crashes', models.SmallIntegerField(default=0, verbose_name='workers that died over it')),
                    ('lease_token', models.BigIntegerField(null=True, verbose_name='lease token')),
                    ('status', models.SmallIntegerField(null=True, verbose_name='HTTP status')),
                    ('error', models.CharField(blank=True, default='', max_length=20, verbose_name='error')),
                    ('tries', models.JSONField(default=list, verbose_name='tries')),
                ],
                options={
                    'verbose_name': 'call',
                    'verbose_name_plural': 'calls',
                    'indexes': [models.Index(condition=models.Q(('state__in', ('waiting', 'calling'))), fields=['connector_id', 'due_at'], name='call_due'), models.Index(fields=['journey', 'created_at'], name='call_by_journey')],
                    'constraints': [models.UniqueConstraint(fields=('run', 'visit'), name='one_call_per_visit')],
                },
            ),
            migrations.CreateModel(
                name='CallContent',
                fields=[
                    ('call', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='content', serialize=False, to='journeys.call')),
                    ('target', models.TextField(help_text='None could be made, if it is empty.', null=True, verbose_name='path')),
                    ('headers', models.JSONField(default=dict, verbose_name='headers')),
                    ('body', models.TextField(blank=True, default='', verbose_name='body')),
                    ('reply', models.TextField(blank=True, default='', help_text='Its first 2,000 characters.', verbose_name='reply')),
                    ('gave', models.JSONField(help_text='What the reply gives them.', null=True, verbose_name='variables')),
                ],
                options={
                    'verbose_name': 'content of a call',
                    'verbose_name_plural': 'contents of calls',
                },
            ),
            migrations.CreateModel(
                name='CallList',
                fields=[
                    ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                    ('journey', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='journeys.journey', verbose_name='journey')),
                    ('kind', models.CharField(max_length=40, verbose_name='named by')),
                    ('columns', models.JSONField(default=list, help_text='Properties that its columns stand for.', verbose_name='columns')),
                    ('lines', models.PositiveIntegerField(verbose_name='lines')),
                    ('found', models.JSONField(default=dict, verbose_name='found')),
                    ('reasons', models.JSONField(default=dict, verbose_name='reasons')),
                    ('check_job', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.job', verbose_name='job that looks at it')),
                    ('call_job', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.job', verbose_name='job that calls them')),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='handed in by')),
                    ('created_at', models.DateTimeField(verbose_name='handed in at')),
                ],
                options={
                    'verbose_name': 'list of people to call',
                    'verbose_name_plural': 'lists of people to call',
                    'ordering': ('-created_at',),
                    'indexes': [models.Index(fields=['journey', '-created_at'], name='call_list_by_journey')],
                },
            ),
            migrations.CreateModel(
                name='CallListRow',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('parent', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='journeys.calllist', verbose_name='list')),
                    ('line', models.PositiveIntegerField(verbose_name='line')),
                    ('value', models.CharField(max_length=300, verbose_name='named')),
                    ('data', models.JSONField(default=dict, verbose_name='data')),
                    ('profile_id', models.UUIDField(db_index=True, null=True, verbose_name='profile')),
                    ('problem', models.CharField(blank=True, choices=[('broken', 'the line cannot be read'), ('not_one', 'this is no identifier of that kind'), ('bad_data', 'a cell does not fit what the journey remembers'), ('unknown', 'nobody is known by it'), ('ambiguous', 'several people are known by it'), ('twice', 'the person stands in an earlier line')], max_length=12, verbose_name='problem')),
                ],
                options={
                    'verbose_name': 'line of such a list',
                    'verbose_name_plural': 'lines of such lists',
                    'ordering': ('line',),
                    'constraints': [models.UniqueConstraint(fields=('parent', 'line'), name='one_row_per_line')],
                },
            ),
            migrations.CreateModel(
                name='Simulation',
                fields=[
                    ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                    ('journey', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='simulations', to='journeys.journey', verbose_name='journey')),
                    ('job', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.job', verbose_name='job')),
                    ('versions', models.JSONField(verbose_name='versions')),
                    ('since', models.DateTimeField(verbose_name='from')),
                    ('until', models.DateTimeField(verbose_name='to')),
                    ('results', models.JSONField(default=dict, verbose_name='results')),
                    ('asked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='asked for by')),
                    ('asked_by_token', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='customers.partnertoken', verbose_name='asked for by the token')),
                    ('of_file', models.BooleanField(default=False, verbose_name='over events handed in')),
                    ('created_at', models.DateTimeField(verbose_name='asked for at')),
                ],
                options={
                    'verbose_name': 'simulation',
                    'verbose_name_plural': 'simulations',
                    'ordering': ('-created_at',),
                },
            ),
            migrations.CreateModel(
                name='SimulatedEvents',
                fields=[
                    ('simulation', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='events', serialize=False, to='journeys.simulation', verbose_name='simulation')),
                    ('data', models.TextField(verbose_name='events')),
                ],
                options={
                    'verbose_name': 'events handed in for a simulation',
                    'verbose_name_plural': 'events handed in for simulations',
                },
            ),
        ),
    ]
