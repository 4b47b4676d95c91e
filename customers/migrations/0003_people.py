"""Who somebody is: identifiers, profiles and the customers they make up, addresses, traits; who was erased."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import customers.ids
from customers.sql import CreateModels


class Migration(migrations.Migration):

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('customers', '0002_sources'),
    ]

    operations = [
        CreateModels(
            migrations.CreateModel(
                name='IdentifierKind',
                fields=[
                    ('key', models.SlugField(help_text='What events call it: loyalty_card, say.', max_length=32, primary_key=True, serialize=False, verbose_name='key')),
                    ('name', models.CharField(max_length=100, verbose_name='name')),
                    ('scheme', models.CharField(default='opaque', help_text='What makes two spellings one value.', max_length=16, verbose_name='read as')),
                    ('rank', models.SmallIntegerField(help_text='The lower, the stronger: an event belongs to the strongest identifier that it names.', verbose_name='rank')),
                    ('most_per_customer', models.PositiveIntegerField(blank=True, help_text='In one namespace; evidence that would go beyond is kept and not followed. Empty: no limit.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='most per customer')),
                    ('most_people', models.PositiveIntegerField(blank=True, help_text='A value that more people than these were seen with tells nobody from anybody: it joins none.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='most people')),
                    ('organisation_wide', models.BooleanField(default=False, help_text="Means the same in every source; others are unique in their source's namespace.", verbose_name='organisation-wide')),
                    ('is_typed', models.BooleanField(default=False, help_text='Somebody said so, as of an e-mail in a form: where two disagree, ids that a system gave come first.', verbose_name='typed by people')),
                    ('blocked', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=320), blank=True, default=list, help_text='Placeholders that stand for nobody, beside those that are refused everywhere.', size=None, verbose_name='blocked values')),
                    ('is_seeded', models.BooleanField(default=False, editable=False, verbose_name='built in')),
                ],
                options={
                    'verbose_name': 'identifier kind',
                    'verbose_name_plural': 'identifier kinds',
                    'ordering': ('rank', 'key'),
                },
            ),
            migrations.CreateModel(
                name='Customer',
                fields=[
                    ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                    ('created_at', models.DateTimeField(verbose_name='created at')),
                    ('traits', models.JSONField(default=dict, verbose_name='traits')),
                    ('zone', models.CharField(blank=True, max_length=64, verbose_name='time zone')),
                    ('locale', models.CharField(blank=True, max_length=20, verbose_name='locale')),
                    ('country', models.CharField(blank=True, db_default='', max_length=2, verbose_name='country')),
                ],
                options={
                    'verbose_name': 'customer',
                    'verbose_name_plural': 'customers',
                    'ordering': ('-id',),
                    'permissions': (('merge_customer', 'Can merge and take apart customers'),),
                },
            ),
            migrations.CreateModel(
                name='Profile',
                fields=[
                    ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                    ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='profiles', to='customers.customer', verbose_name='customer')),
                    ('customer_since', models.DateTimeField(help_text='A grant given later speaks for the whole customer.', verbose_name='with this customer since')),
                    ('created_at', models.DateTimeField(verbose_name='created at')),
                ],
                options={
                    'verbose_name': 'profile',
                    'verbose_name_plural': 'profiles',
                },
            ),
            migrations.CreateModel(
                name='Identifier',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('namespace', models.UUIDField(help_text='Nil for kinds that are organisation-wide.', verbose_name='namespace')),
                    ('kind', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.identifierkind', verbose_name='kind')),
                    ('value', models.CharField(max_length=320, verbose_name='value')),
                    ('original', models.CharField(max_length=320, verbose_name='as given')),
                    ('profile', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='identifier', to='customers.profile', verbose_name='profile')),
                    ('opened_at', models.DateTimeField(verbose_name='opened at')),
                    ('closed_at', models.DateTimeField(blank=True, null=True, verbose_name='closed at')),
                    ('shared_at', models.DateTimeField(blank=True, help_text='Seen with more people than its kind may have: it joins nobody any more.', null=True, verbose_name='shared since')),
                    ('exempt', models.BooleanField(db_default=False, default=False, help_text='A person decided that it is not shared, however many it is seen with.', verbose_name='exempt')),
                ],
                options={
                    'verbose_name': 'identifier',
                    'verbose_name_plural': 'identifiers',
                    'indexes': [models.Index(condition=models.Q(('shared_at__isnull', False)), fields=['id'], name='identifier_of_too_many')],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('closed_at__isnull', True)), fields=('value', 'kind', 'namespace'), name='one_open_identifier_per_value')],
                },
            ),
            migrations.CreateModel(
                name='Edge',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('low', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.profile')),
                    ('high', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.profile')),
                    ('kind', models.CharField(choices=[('join', 'same person'), ('split', 'not the same person'), ('alias', 'new name of the same')], default='join', max_length=5, verbose_name='kind')),
                    ('assurance', models.SmallIntegerField(choices=[(1, 'claimed'), (2, 'observed'), (3, 'verified by log-in'), (4, 'verified by one-time code'), (5, 'verified by document'), (6, 'decided by a person')], verbose_name='assurance')),
                    ('occurred_at', models.DateTimeField(verbose_name='occurred at')),
                    ('source_id', models.UUIDField(verbose_name='source')),
                    ('message_id', models.CharField(max_length=100, verbose_name='message id')),
                    ('skipped', models.BooleanField(default=False, help_text="Kept and not followed: see the limits of its identifiers' kinds.", verbose_name='skipped')),
                    ('recorded_at', models.DateTimeField(verbose_name='recorded at')),
                ],
                options={
                    'verbose_name': 'edge',
                    'verbose_name_plural': 'edges',
                    'constraints': [models.UniqueConstraint(fields=('low', 'high', 'kind', 'assurance'), name='one_edge_per_evidence'), models.CheckConstraint(condition=models.Q(('low__lt', models.F('high'))), name='edge_low_before_high')],
                },
            ),
            migrations.CreateModel(
                name='ProfileMove',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('profile', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='moves', to='customers.profile', verbose_name='profile')),
                    ('from_customer_id', models.UUIDField(verbose_name='from customer')),
                    ('to_customer_id', models.UUIDField(verbose_name='to customer')),
                    ('was_since', models.DateTimeField(verbose_name='had been with them since')),
                    ('at', models.DateTimeField(verbose_name='at')),
                ],
                options={
                    'verbose_name': 'move of a profile',
                    'verbose_name_plural': 'moves of profiles',
                    'indexes': [models.Index(fields=['from_customer_id', 'at'], name='move_by_former_customer')],
                },
            ),
            migrations.CreateModel(
                name='ProfileBrand',
                fields=[
                    ('pk', models.CompositePrimaryKey('profile_id', 'brand_id', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('profile', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='brands', to='customers.profile')),
                    ('brand', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.brand')),
                    ('first_seen_at', models.DateTimeField(verbose_name='first seen at')),
                ],
                options={
                    'verbose_name': 'profile in brand',
                    'verbose_name_plural': 'profiles in brands',
                },
            ),
            migrations.CreateModel(
                name='ProfileSource',
                fields=[
                    ('pk', models.CompositePrimaryKey('profile_id', 'source_id', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('profile', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='customers.profile')),
                    ('source', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='customers.source')),
                    ('first_seen_at', models.DateTimeField(verbose_name='first seen at')),
                    ('assurance', models.SmallIntegerField(choices=[(1, 'claimed'), (2, 'observed'), (3, 'verified by log-in'), (4, 'verified by one-time code'), (5, 'verified by document'), (6, 'decided by a person')], db_default=2, default=2, help_text='How sure the source was at its surest; what only its pages name is a mere claim.', verbose_name='assurance')),
                ],
                options={
                    'verbose_name': 'profile named by a source',
                    'verbose_name_plural': 'profiles named by sources',
                },
            ),
            migrations.CreateModel(
                name='DuplicatePair',
                fields=[
                    ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                    ('low', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.profile', verbose_name='one profile')),
                    ('high', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.profile', verbose_name='other profile')),
                    ('probability', models.FloatField(verbose_name='probability')),
                    ('evidence', models.JSONField(default=list, verbose_name='evidence')),
                    ('state', models.CharField(choices=[('open', 'to be decided'), ('accepted', 'merged'), ('rejected', 'two people'), ('settled', 'no question any more')], default='open', max_length=8, verbose_name='state')),
                    ('found_at', models.DateTimeField(verbose_name='found at')),
                    ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='decided by')),
                    ('decided_at', models.DateTimeField(blank=True, null=True, verbose_name='decided at')),
                ],
                options={
                    'verbose_name': 'possible duplicate',
                    'verbose_name_plural': 'possible duplicates',
                    'ordering': ('-probability', 'pk'),
                    'indexes': [models.Index(condition=models.Q(('state', 'open')), fields=['-probability', 'id'], name='pair_to_be_decided')],
                    'constraints': [models.UniqueConstraint(fields=('low', 'high'), name='one_pair_of_two_profiles'), models.CheckConstraint(condition=models.Q(('low__lt', models.F('high'))), name='pair_low_before_high')],
                },
            ),
            migrations.CreateModel(
                name='Address',
                fields=[
                    ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                    ('channel', models.CharField(choices=[('email', 'e-mail'), ('sms', 'SMS'), ('whatsapp', 'WhatsApp'), ('push', 'push'), ('in_app', 'in-app'), ('web', 'web'), ('person', 'person')], max_length=10, verbose_name='channel')),
                    ('value', models.CharField(max_length=500, verbose_name='value')),
                    ('original', models.CharField(max_length=500, verbose_name='as given')),
                    ('created_at', models.DateTimeField(verbose_name='created at')),
                ],
                options={
                    'verbose_name': 'address',
                    'verbose_name_plural': 'addresses',
                    'constraints': [models.UniqueConstraint(fields=('value', 'channel'), name='one_address_per_channel_value')],
                },
            ),
            migrations.CreateModel(
                name='AddressProfile',
                fields=[
                    ('pk', models.CompositePrimaryKey('profile_id', 'address_id', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('profile', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='addresses', to='customers.profile')),
                    ('address', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='profiles', to='customers.address')),
                    ('first_seen_at', models.DateTimeField(verbose_name='first seen at')),
                    ('last_seen_at', models.DateTimeField(verbose_name='last seen at')),
                    ('verified_at', models.DateTimeField(blank=True, null=True, verbose_name='verified at')),
                    ('assurance', models.SmallIntegerField(choices=[(1, 'claimed'), (2, 'observed'), (3, 'verified by log-in'), (4, 'verified by one-time code'), (5, 'verified by document'), (6, 'decided by a person')], db_default=2, default=2, help_text='How sure the surest sender was that it is theirs; what a page says is a mere claim.', verbose_name='assurance')),
                ],
                options={
                    'verbose_name': 'address of a profile',
                    'verbose_name_plural': 'addresses of profiles',
                },
            ),
            migrations.CreateModel(
                name='TraitDefinition',
                fields=[
                    ('name', models.CharField(help_text='As events tell it.', max_length=120, primary_key=True, serialize=False, verbose_name='name')),
                    ('label', models.CharField(blank=True, max_length=120, verbose_name='label')),
                    ('description', models.TextField(blank=True, verbose_name='description')),
                    ('type', models.CharField(blank=True, choices=[('text', 'text'), ('number', 'number'), ('flag', 'yes or no'), ('moment', 'date or time'), ('list', 'list'), ('document', 'object')], help_text='A value of another type is kept and never wins. Empty: any value.', max_length=8, verbose_name='type')),
                    ('winner', models.CharField(choices=[('latest', 'what was said last'), ('first', 'what was said first'), ('trusted', 'what the more trusted source says')], default='latest', help_text="Of all that a customer's profiles were said to be.", max_length=8, verbose_name='which value counts')),
                    ('trusted', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), blank=True, default=list, help_text='The most trusted first; what others say counts after them, the latest first.', size=None, verbose_name='trusted sources')),
                    ('is_personal', models.BooleanField(default=True, help_text='Shown only to those who may read personal data. Not so: plan, tier, language and the like.', verbose_name='personal')),
                ],
                options={
                    'verbose_name': 'definition of a trait',
                    'verbose_name_plural': 'definitions of traits',
                    'ordering': ('name',),
                },
            ),
            migrations.CreateModel(
                name='Trait',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('profile', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='traits', to='customers.profile', verbose_name='profile')),
                    ('name', models.CharField(max_length=120, verbose_name='name')),
                    ('value', models.JSONField(null=True, verbose_name='value')),
                    ('valid_from', models.DateTimeField(verbose_name='valid from')),
                    ('recorded_at', models.DateTimeField(verbose_name='recorded at')),
                    ('event_id', models.BigIntegerField(verbose_name='event')),
                    ('source_id', models.UUIDField(null=True, verbose_name='source')),
                ],
                options={
                    'verbose_name': 'trait',
                    'verbose_name_plural': 'traits',
                    'constraints': [models.UniqueConstraint(fields=('profile', 'name', 'valid_from', 'event_id'), name='one_trait_value_per_event')],
                },
            ),
            migrations.CreateModel(
                name='ErasedSubject',
                fields=[
                    ('digest', models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                    ('erased_at', models.DateTimeField(verbose_name='erased at')),
                    ('dropped', models.IntegerField(default=0, verbose_name='events dropped since')),
                ],
                options={
                    'verbose_name': 'erased subject',
                    'verbose_name_plural': 'erased subjects',
                },
            ),
            migrations.CreateModel(
                name='ErasedAddress',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('digest', models.BinaryField(max_length=32, unique=True, verbose_name='keyed hash')),
                    ('address_id', models.UUIDField(null=True, verbose_name='address')),
                    ('erased_at', models.DateTimeField(verbose_name='erased at')),
                ],
                options={
                    'verbose_name': 'erased address',
                    'verbose_name_plural': 'erased addresses',
                },
            ),
        ),
    ]
