"""Brands and squads, who may do what in them and how they log in, the audit trail, jobs."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import customers.ids
from customers.sql import CreateModels


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        CreateModels(
            migrations.CreateModel(
                name='Brand',
                fields=[
                    ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                    ('key', models.SlugField(max_length=64, unique=True, verbose_name='key')),
                    ('name', models.CharField(max_length=200, verbose_name='name')),
                    ('zone', models.CharField(default='UTC', help_text='IANA name; days in counters and caps are days in it.', max_length=64, verbose_name='time zone')),
                    ('locale', models.CharField(default='en', max_length=20, verbose_name='locale')),
                    ('currency', models.CharField(default='USD', help_text='ISO 4217 code.', max_length=3, verbose_name='currency')),
                    ('sender_name', models.CharField(blank=True, max_length=200, verbose_name='sender name')),
                    ('sender_email', models.EmailField(blank=True, max_length=254, verbose_name='sender e-mail')),
                    ('postal_address', models.TextField(blank=True, verbose_name='postal address')),
                    ('quiet_from', models.TimeField(blank=True, null=True, verbose_name='quiet from')),
                    ('quiet_until', models.TimeField(blank=True, null=True, verbose_name='quiet until')),
                    ('journeys_at_once', models.PositiveSmallIntegerField(blank=True, help_text='In so many a person may be at most; empty: in any number.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='marketing journeys at once')),
                    ('second_person_approves', models.BooleanField(default=False, help_text='Whoever proposes a schema version does not approve it.', verbose_name='a second person approves schemas')),
                    ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created at')),
                ],
                options={
                    'verbose_name': 'brand',
                    'verbose_name_plural': 'brands',
                    'ordering': ('name',),
                    'permissions': (('view_pii', 'Can read personal data'),),
                },
            ),
            migrations.CreateModel(
                name='Squad',
                fields=[
                    ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                    ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='squads', to='customers.brand', verbose_name='brand')),
                    ('name', models.CharField(max_length=200, verbose_name='name')),
                ],
                options={
                    'verbose_name': 'squad',
                    'verbose_name_plural': 'squads',
                    'ordering': ('name',),
                    'constraints': [models.UniqueConstraint(fields=('brand', 'name'), name='one_squad_name_per_brand')],
                },
            ),
            migrations.CreateModel(
                name='SquadMember',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('squad', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='members', to='customers.squad', verbose_name='squad')),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='user')),
                    ('role', models.CharField(choices=[('process_owner', 'process owner'), ('data_owner', 'data owner'), ('channel_owner', 'channel owner')], max_length=20, verbose_name='role')),
                ],
                options={
                    'verbose_name': 'squad member',
                    'verbose_name_plural': 'squad members',
                    'constraints': [models.UniqueConstraint(fields=('squad', 'user', 'role'), name='one_role_once_per_squad')],
                },
            ),
            migrations.CreateModel(
                name='BrandUserPermission',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('permission', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='auth.permission')),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
                    ('content_object', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='customers.brand')),
                ],
                options={
                    'verbose_name': "person's permission in a brand",
                    'verbose_name_plural': "people's permissions in brands",
                    'unique_together': {('user', 'permission', 'content_object')},
                    'abstract': False,
                },
            ),
            migrations.CreateModel(
                name='BrandGroupPermission',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('permission', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='auth.permission')),
                    ('group', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='auth.group')),
                    ('content_object', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='customers.brand')),
                ],
                options={
                    'verbose_name': "group's permission in a brand",
                    'verbose_name_plural': "groups' permissions in brands",
                    'unique_together': {('group', 'permission', 'content_object')},
                    'abstract': False,
                },
            ),
            migrations.CreateModel(
                name='SquadUserPermission',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('permission', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='auth.permission')),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
                    ('content_object', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='customers.squad')),
                ],
                options={
                    'verbose_name': "person's permission in a squad",
                    'verbose_name_plural': "people's permissions in squads",
                    'unique_together': {('user', 'permission', 'content_object')},
                    'abstract': False,
                },
            ),
            migrations.CreateModel(
                name='SquadGroupPermission',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('permission', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='auth.permission')),
                    ('group', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='auth.group')),
                    ('content_object', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='customers.squad')),
                ],
                options={
                    'verbose_name': "group's permission in a squad",
                    'verbose_name_plural': "groups' permissions in squads",
                    'unique_together': {('group', 'permission', 'content_object')},
                    'abstract': False,
                },
            ),
            migrations.CreateModel(
                name='Authenticator',
                fields=[
                    ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                    ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='user')),
                    ('secret', models.BinaryField(verbose_name='secret')),
                    ('last_step', models.BigIntegerField(default=0, editable=False, verbose_name="last code's time step")),
                    ('created_at', models.DateTimeField(verbose_name='created at')),
                    ('confirmed_at', models.DateTimeField(null=True, verbose_name='confirmed at')),
                ],
                options={
                    'verbose_name': 'authenticator',
                    'verbose_name_plural': 'authenticators',
                },
            ),
            migrations.CreateModel(
                name='RecoveryCode',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='user')),
                    ('digest', models.BinaryField(max_length=32, verbose_name='digest')),
                    ('used_at', models.DateTimeField(null=True, verbose_name='used at')),
                ],
                options={
                    'verbose_name': 'recovery code',
                    'verbose_name_plural': 'recovery codes',
                    'constraints': [models.UniqueConstraint(fields=('user', 'digest'), name='one_recovery_code_per_digest')],
                },
            ),
            migrations.CreateModel(
                name='LogInBackOff',
                fields=[
                    ('digest', models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                    ('failures', models.PositiveIntegerField(verbose_name='failures')),
                    ('last_at', models.DateTimeField(verbose_name='last at')),
                    ('blocked_until', models.DateTimeField(null=True, verbose_name='blocked until')),
                ],
                options={
                    'verbose_name': 'log-in back-off',
                    'verbose_name_plural': 'log-in back-offs',
                },
            ),
            migrations.CreateModel(
                name='AuditEntry',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('at', models.DateTimeField(verbose_name='at')),
                    ('day', models.DateField(help_text='The chain this entry belongs to (UTC).', verbose_name='day')),
                    ('actor', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='actor')),
                    ('brand', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='customers.brand', verbose_name='brand')),
                    ('action', models.CharField(max_length=64, verbose_name='action')),
                    ('object_type', models.CharField(max_length=64, verbose_name='object type')),
                    ('object_id', models.CharField(max_length=64, verbose_name='object')),
                    ('before', models.JSONField(null=True, verbose_name='before')),
                    ('after', models.JSONField(null=True, verbose_name='after')),
                    ('position', models.PositiveIntegerField(verbose_name='position in the day')),
                    ('previous', models.BinaryField(max_length=32, verbose_name='previous hash')),
                    ('digest', models.BinaryField(max_length=32, verbose_name='hash')),
                ],
                options={
                    'verbose_name': 'audit entry',
                    'verbose_name_plural': 'audit trail',
                    'ordering': ('-id',),
                    'indexes': [models.Index(fields=['object_type', 'object_id'], name='audit_by_object'), models.Index(fields=['actor', 'id'], name='audit_by_actor'), models.Index(fields=['brand', 'id'], name='audit_by_brand'), models.Index(fields=['action', 'id'], name='audit_by_action')],
                    'constraints': [models.UniqueConstraint(fields=('day', 'position'), name='one_audit_entry_per_position')],
                },
            ),
            migrations.CreateModel(
                name='Job',
                fields=[
                    ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                    ('kind', models.CharField(max_length=32, verbose_name='kind')),
                    ('brand', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.brand', verbose_name='brand')),
                    ('squad', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.squad', verbose_name='squad')),
                    ('asked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='asked for by')),
                    ('subject', models.CharField(blank=True, max_length=200, verbose_name='subject')),
                    ('arguments', models.JSONField(default=dict, verbose_name='arguments')),
                    ('state', models.CharField(choices=[('waiting', 'waiting'), ('working', 'working'), ('done', 'done'), ('failed', 'failed'), ('cancelled', 'cancelled')], default='waiting', max_length=10, verbose_name='state')),
                    ('total', models.BigIntegerField(blank=True, null=True, verbose_name='of')),
                    ('done', models.BigIntegerField(default=0, verbose_name='done')),
                    ('cursor', models.JSONField(default=dict, verbose_name='where it stands')),
                    ('report', models.JSONField(default=dict, verbose_name='report')),
                    ('reason', models.CharField(blank=True, max_length=200, verbose_name='reason')),
                    ('tries', models.PositiveSmallIntegerField(default=0, verbose_name='tries')),
                    ('leased_until', models.DateTimeField(blank=True, null=True, verbose_name='in work until')),
                    ('fence', models.PositiveIntegerField(default=0, verbose_name='slice')),
                    ('created_at', models.DateTimeField(verbose_name='asked for at')),
                    ('begun_at', models.DateTimeField(blank=True, null=True, verbose_name='begun at')),
                    ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='ended at')),
                ],
                options={
                    'verbose_name': 'job',
                    'verbose_name_plural': 'jobs',
                    'ordering': ('-created_at',),
                    'indexes': [models.Index(condition=models.Q(('state__in', ('waiting', 'working'))), fields=['created_at'], name='job_to_be_done')],
                },
            ),
        ),
    ]
