"""What people ask by law, step by step, and what was done about it."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import customers.ids
from customers.sql import CreateModels


class Migration(migrations.Migration):

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('consent', '0001_initial'),
    ]

    operations = [
        CreateModels(
            migrations.CreateModel(
                name='PrivacyRequest',
                fields=[
                    ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                    ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.brand', verbose_name='brand')),
                    ('kind', models.CharField(choices=[('access', 'access'), ('portability', 'portability'), ('correction', 'correction'), ('erasure', 'erasure'), ('objection', 'objection to marketing'), ('restriction', 'restriction of processing')], max_length=12, verbose_name='what is asked')),
                    ('law', models.CharField(choices=[('lgpd', 'LGPD (Brazil)'), ('gdpr', 'GDPR (European Union)'), ('app', 'Australian Privacy Principles')], max_length=4, verbose_name='law')),
                    ('channel', models.CharField(choices=[('email', 'e-mail'), ('form', 'form'), ('phone', 'telephone'), ('letter', 'letter'), ('shop', 'in person'), ('api', 'API')], max_length=6, verbose_name='came by')),
                    ('source', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.source', verbose_name='source')),
                    ('subject', models.JSONField(default=list, verbose_name='who asks')),
                    ('digests', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), default=list, editable=False, size=None)),
                    ('assurance', models.SmallIntegerField(choices=[(0, 'not checked'), (2, 'wrote from their own address'), (3, 'logged in'), (4, 'one-time code'), (5, 'document')], default=0, verbose_name='identity checked by')),
                    ('state', models.CharField(choices=[('open', 'open'), ('verifying', 'identity being checked'), ('ready', 'ready'), ('working', 'being carried out'), ('done', 'done'), ('refused', 'refused')], default='open', max_length=10, verbose_name='state')),
                    ('refusal', models.CharField(blank=True, max_length=24, verbose_name='reason of the refusal')),
                    ('asked_on', models.DateField(db_default=django.db.models.functions.comparison.Cast(django.db.models.functions.datetime.Now(), models.DateField()), help_text='The day it was received, in the brand’s zone: the clock of the law runs from it.', verbose_name='asked on')),
                    ('opened_at', models.DateTimeField(verbose_name='taken down at')),
                    ('due_on', models.DateField(help_text='The last day, in the brand’s zone.', verbose_name='due on')),
                    ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='ended at')),
                    ('opened_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='taken down by')),
                    ('job', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='customers.job', verbose_name='job')),
                ],
                options={
                    'verbose_name': 'privacy request',
                    'verbose_name_plural': 'privacy requests',
                    'ordering': ('due_on', 'opened_at'),
                    'permissions': (('carry_out_privacyrequest', 'Can carry out privacy requests'), ('download_privacyrequest', 'Can download what is held of a person')),
                    'indexes': [models.Index(condition=models.Q(('state__in', ('done', 'refused')), _negated=True), fields=['due_on'], name='privacy_request_pending')],
                },
            ),
            migrations.CreateModel(
                name='PrivacyStep',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('request', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='consent.privacyrequest', verbose_name='privacy request')),
                    ('at', models.DateTimeField(verbose_name='at')),
                    ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                    ('state', models.CharField(choices=[('open', 'open'), ('verifying', 'identity being checked'), ('ready', 'ready'), ('working', 'being carried out'), ('done', 'done'), ('refused', 'refused')], max_length=10, verbose_name='state')),
                    ('assurance', models.SmallIntegerField(choices=[(0, 'not checked'), (2, 'wrote from their own address'), (3, 'logged in'), (4, 'one-time code'), (5, 'document')], null=True, verbose_name='identity checked by')),
                    ('note', models.TextField(blank=True, verbose_name='note')),
                ],
                options={
                    'verbose_name': 'step of a privacy request',
                    'verbose_name_plural': 'steps of privacy requests',
                    'ordering': ('id',),
                },
            ),
            migrations.CreateModel(
                name='PrivacyArchive',
                fields=[
                    ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                    ('request', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='archive', to='consent.privacyrequest', verbose_name='privacy request')),
                    ('made_at', models.DateTimeField(verbose_name='made at')),
                    ('expires_at', models.DateTimeField(verbose_name='kept until')),
                    ('size', models.BigIntegerField(verbose_name='bytes')),
                    ('digest', models.CharField(max_length=64, verbose_name='SHA-256')),
                    ('counts', models.JSONField(default=dict, verbose_name='rows by store')),
                    ('data', models.BinaryField(verbose_name='sealed file')),
                    ('downloads', models.PositiveIntegerField(default=0, verbose_name='downloads')),
                    ('removed_at', models.DateTimeField(blank=True, null=True, verbose_name='removed at')),
                ],
                options={
                    'verbose_name': 'file of what is held',
                    'verbose_name_plural': 'files of what is held',
                    'ordering': ('-made_at',),
                },
            ),
            migrations.CreateModel(
                name='Erasure',
                fields=[
                    ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                    ('request', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='erasure', to='consent.privacyrequest', verbose_name='privacy request')),
                    ('brand', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.brand', verbose_name='brand')),
                    ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='confirmed by')),
                    ('begun_at', models.DateTimeField(verbose_name='begun at')),
                    ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished at')),
                    ('identifiers', models.PositiveIntegerField(default=0, verbose_name='identifiers')),
                    ('addresses', models.PositiveIntegerField(default=0, verbose_name='addresses')),
                    ('counts', models.JSONField(default=dict, verbose_name='rows by store')),
                    ('shown', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), blank=True, db_default=[], default=list, size=None, verbose_name='profiles shown')),
                    ('subject', models.BinaryField(default=b'', verbose_name='sealed subject')),
                ],
                options={
                    'verbose_name': 'erasure',
                    'verbose_name_plural': 'erasures',
                    'ordering': ('-begun_at',),
                },
            ),
            migrations.CreateModel(
                name='Restriction',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='restrictions', to='consent.privacyrequest', verbose_name='privacy request')),
                    ('profile_id', models.UUIDField(db_index=True, verbose_name='profile')),
                    ('since', models.DateTimeField(verbose_name='since')),
                    ('lifted_at', models.DateTimeField(blank=True, null=True, verbose_name='lifted at')),
                ],
                options={
                    'verbose_name': 'restriction',
                    'verbose_name_plural': 'restrictions',
                    'ordering': ('-since',),
                    'constraints': [models.UniqueConstraint(condition=models.Q(('lifted_at__isnull', True)), fields=('profile_id',), name='one_restriction_of_a_profile')],
                },
            ),
        ),
    ]
