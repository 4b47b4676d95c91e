"""Purposes and notices, the ledger with its heads and anchors, and what people ask besides: pauses, preferences."""

import datetime

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import customers.ids
from customers.sql import CreateModels


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('customers', '0007_identifier_kinds'),
    ]

    operations = [
        CreateModels(
            migrations.CreateModel(
                name='Notice',
                fields=[
                    ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                    ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='customers.brand', verbose_name='brand')),
                    ('key', models.SlugField(max_length=64, verbose_name='key')),
                    ('name', models.CharField(max_length=200, verbose_name='name')),
                ],
                options={
                    'verbose_name': 'notice',
                    'verbose_name_plural': 'notices',
                    'ordering': ('name',),
                    'constraints': [models.UniqueConstraint(fields=('brand', 'key'), name='one_notice_key_per_brand')],
                },
            ),
            migrations.CreateModel(
                name='NoticeVersion',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('notice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='consent.notice', verbose_name='notice')),
                    ('number', models.PositiveIntegerField(verbose_name='version')),
                    ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created at')),
                    ('published_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='published at')),
                ],
                options={
                    'verbose_name': 'notice version',
                    'verbose_name_plural': 'notice versions',
                    'constraints': [models.UniqueConstraint(fields=('notice', 'number'), name='one_number_per_notice'), models.UniqueConstraint(condition=models.Q(('published_at__isnull', True)), fields=('notice',), name='one_draft_per_notice')],
                },
            ),
            migrations.CreateModel(
                name='NoticeText',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='texts', to='consent.noticeversion', verbose_name='version')),
                    ('locale', models.CharField(max_length=20, verbose_name='locale')),
                    ('text', models.TextField(verbose_name='text')),
                    ('digest', models.BinaryField(max_length=32, null=True, verbose_name='hash')),
                ],
                options={
                    'verbose_name': 'notice text',
                    'verbose_name_plural': 'notice texts',
                    'constraints': [models.UniqueConstraint(fields=('version', 'locale'), name='one_text_per_locale')],
                },
            ),
            migrations.CreateModel(
                name='Purpose',
                fields=[
                    ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                    ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='purposes', to='customers.brand', verbose_name='brand')),
                    ('key', models.SlugField(max_length=64, verbose_name='key')),
                    ('name', models.CharField(max_length=200, verbose_name='name')),
                    ('kind', models.CharField(choices=[('marketing', 'marketing'), ('service', 'service'), ('legal', 'legal')], max_length=10, verbose_name='kind')),
                    ('description', models.TextField(blank=True, verbose_name='description')),
                    ('is_offered', models.BooleanField(db_default=True, default=True, help_text='People find it there by its public name. What is owed by law is only told of.', verbose_name='in the preference centre')),
                    ('channels', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('email', 'e-mail'), ('sms', 'SMS'), ('whatsapp', 'WhatsApp'), ('push', 'push'), ('in_app', 'in-app'), ('web', 'web')], max_length=10), blank=True, db_default=[], default=list, help_text='Those it is offered for in the preference centre. None: all of them.', size=None, verbose_name='channels')),
                    ('notice', models.ForeignKey(blank=True, help_text='The words people read when they are asked by mail or in the preference centre.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consent.notice', verbose_name='notice')),
                    ('valid_days', models.PositiveIntegerField(blank=True, help_text='So many days after it was given a consent that names no end of its own expires. Empty: never.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(36500)], verbose_name='days a consent lasts')),
                    ('needs_confirmation', models.BooleanField(db_default=True, default=True, help_text='Of marketing: where a web page tells that somebody consents, a mail to their address asks whether they do. Without it, whoever knows an address can put it on the list; a source with a secret key is believed anyway.', verbose_name='confirm what a page claims')),
                    ('law', models.CharField(blank=True, choices=[('lgpd', 'LGPD (Brazil)'), ('gdpr', 'GDPR (European Union)'), ('app', 'Australian Privacy Principles')], db_default='', help_text='Of marketing: the law of whom no country is known that has another of these. Each consent is then weighed by the law that its person is under: it must be known which notice was shown, a basis other than consent counts under the law it was recorded for, and for a child a parent agrees. Empty: law is not weighed.', max_length=4, verbose_name='law')),
                    ('ad_signal', models.CharField(blank=True, choices=[('ad_user_data', 'that data may be sent for advertising (ad_user_data)'), ('ad_personalization', 'that ads may be personal (ad_personalization)')], db_default='', help_text='What an answer to this purpose tells ad platforms when people are put into an audience there.', max_length=20, verbose_name='signal of ad platforms')),
                ],
                options={
                    'verbose_name': 'purpose',
                    'verbose_name_plural': 'purposes',
                    'ordering': ('name',),
                    'constraints': [models.UniqueConstraint(fields=('brand', 'key'), name='one_purpose_key_per_brand'), models.CheckConstraint(condition=models.Q(('valid_days__isnull', True), ('valid_days__range', (1, 36500)), _connector='OR'), name='consent_lasts_some_days')],
                },
            ),
            migrations.CreateModel(
                name='PurposeText',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('purpose', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='texts', to='consent.purpose', verbose_name='purpose')),
                    ('locale', models.CharField(max_length=20, verbose_name='locale')),
                    ('name', models.CharField(max_length=200, verbose_name='public name')),
                    ('description', models.TextField(blank=True, max_length=2000, verbose_name='what people get')),
                ],
                options={
                    'verbose_name': 'public words of a purpose',
                    'verbose_name_plural': 'public words of purposes',
                    'constraints': [models.UniqueConstraint(fields=('purpose', 'locale'), name='one_purpose_text_per_locale')],
                },
            ),
            migrations.CreateModel(
                name='ConsentChain',
                fields=[
                    ('address', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='customers.address', verbose_name='address')),
                    ('length', models.PositiveIntegerField(default=0, verbose_name='length')),
                    ('digest', models.BinaryField(default=b'\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00', max_length=32, verbose_name='head hash')),
                ],
                options={
                    'verbose_name': 'consent chain',
                    'verbose_name_plural': 'consent chains',
                },
            ),
            migrations.CreateModel(
                name='ConsentEntry',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('address', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.address', verbose_name='address')),
                    ('profile', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='customers.profile', verbose_name='profile')),
                    ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.brand', verbose_name='brand')),
                    ('purpose', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consent.purpose', verbose_name='purpose')),
                    ('state', models.CharField(choices=[('requested', 'requested'), ('deferred', 'request deferred'), ('refused', 'refused'), ('given', 'given'), ('renewed', 'renewed'), ('withdrawn', 'withdrawn'), ('revoked', 'revoked'), ('expired', 'expired'), ('invalidated', 'invalidated'), ('unknown', 'unknown')], max_length=12, verbose_name='state')),
                    ('effective_at', models.DateTimeField(help_text='The earlier of occurred and received.', verbose_name='effective at')),
                    ('occurred_at', models.DateTimeField(verbose_name='occurred at')),
                    ('recorded_at', models.DateTimeField(verbose_name='recorded at')),
                    ('valid_until', models.DateTimeField(blank=True, null=True, verbose_name='valid until')),
                    ('method', models.CharField(choices=[('event', 'event of a source'), ('claim', 'unproven claim'), ('one_click', 'one-click unsubscribe'), ('link', 'link in a message'), ('api', 'API'), ('staff', 'member of staff'), ('import', 'import'), ('login', 'log-in'), ('double_opt_in', 'double opt-in'), ('keyword', 'keyword reply'), ('provider', "provider's report")], max_length=14, verbose_name='method')),
                    ('source', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.source', verbose_name='source')),
                    ('message_id', models.CharField(blank=True, max_length=100, verbose_name='message id')),
                    ('event_id', models.BigIntegerField(null=True, verbose_name='event')),
                    ('notice_version', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consent.noticeversion', verbose_name='notice version')),
                    ('language', models.CharField(blank=True, max_length=20, verbose_name='language shown')),
                    ('legal_basis', models.CharField(blank=True, help_text='Law and article, e.g. lgpd:7:I.', max_length=64, verbose_name='legal basis')),
                    ('jurisdiction', models.CharField(blank=True, max_length=8, verbose_name='jurisdiction')),
                    ('collector', models.CharField(blank=True, max_length=200, verbose_name='collected by')),
                    ('withdrawal_path', models.CharField(blank=True, max_length=200, verbose_name='how to withdraw')),
                    ('position', models.PositiveIntegerField(verbose_name='position in the chain')),
                    ('previous', models.BinaryField(max_length=32, verbose_name='previous hash')),
                    ('commitment', models.BinaryField(max_length=32, verbose_name='commitment to the evidence')),
                    ('digest', models.BinaryField(max_length=32, verbose_name='hash')),
                ],
                options={
                    'verbose_name': 'consent entry',
                    'verbose_name_plural': 'consent ledger',
                    'ordering': ('-id',),
                    'indexes': [models.Index(fields=['purpose', 'recorded_at'], name='entry_by_purpose_and_time')],
                    'constraints': [models.UniqueConstraint(fields=('address', 'position'), name='one_entry_per_chain_position'), models.CheckConstraint(condition=models.Q(('valid_until__gte', datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.UTC)), ('valid_until__lt', datetime.datetime(2201, 1, 1, 0, 0, tzinfo=datetime.UTC))), name='entry_valid_until_readable')],
                },
            ),
            migrations.CreateModel(
                name='ConsentEvidence',
                fields=[
                    ('entry', models.OneToOneField(on_delete=django.db.models.deletion.DO_NOTHING, primary_key=True, related_name='evidence', serialize=False, to='consent.consententry')),
                    ('salt', models.BinaryField(max_length=16, verbose_name='salt')),
                    ('fields', models.JSONField(verbose_name='fields')),
                ],
                options={
                    'verbose_name': 'consent evidence',
                    'verbose_name_plural': 'consent evidence',
                },
            ),
            migrations.CreateModel(
                name='ErasedEvidence',
                fields=[
                    ('entry', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, primary_key=True, related_name='+', serialize=False, to='consent.consententry', verbose_name='consent entry')),
                    ('erased_at', models.DateTimeField(verbose_name='erased at')),
                ],
                options={
                    'verbose_name': 'erased evidence',
                    'verbose_name_plural': 'erased evidence',
                },
            ),
            migrations.CreateModel(
                name='ConsentHead',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('address', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.address', verbose_name='address')),
                    ('profile', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='customers.profile', verbose_name='profile')),
                    ('purpose', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consent.purpose', verbose_name='purpose')),
                    ('entry_id', models.BigIntegerField(verbose_name='entry')),
                    ('state', models.CharField(choices=[('requested', 'requested'), ('deferred', 'request deferred'), ('refused', 'refused'), ('given', 'given'), ('renewed', 'renewed'), ('withdrawn', 'withdrawn'), ('revoked', 'revoked'), ('expired', 'expired'), ('invalidated', 'invalidated'), ('unknown', 'unknown')], max_length=12, verbose_name='state')),
                    ('method', models.CharField(choices=[('event', 'event of a source'), ('claim', 'unproven claim'), ('one_click', 'one-click unsubscribe'), ('link', 'link in a message'), ('api', 'API'), ('staff', 'member of staff'), ('import', 'import'), ('login', 'log-in'), ('double_opt_in', 'double opt-in'), ('keyword', 'keyword reply'), ('provider', "provider's report")], max_length=14, verbose_name='method')),
                    ('effective_at', models.DateTimeField(verbose_name='effective at')),
                    ('valid_until', models.DateTimeField(null=True, verbose_name='valid until')),
                    ('proven_at', models.DateTimeField(help_text='When the consent in force was last proven; a repetition without proof keeps it.', null=True, verbose_name='proven at')),
                    ('told', models.PositiveSmallIntegerField(db_default=0, default=0, help_text='1: that it is about to expire. 2: that it has expired.', verbose_name='told of')),
                ],
                options={
                    'verbose_name': 'current consent',
                    'verbose_name_plural': 'current consents',
                    'permissions': (('withdraw_consenthead', 'Can withdraw and pause for people who ask'),),
                    'indexes': [models.Index(condition=models.Q(('told__lt', 2), ('valid_until__isnull', False)), fields=['valid_until'], name='head_to_tell_of'), models.Index(fields=['purpose', 'state', 'valid_until'], name='head_by_purpose_and_state')],
                    'constraints': [models.UniqueConstraint(fields=('address', 'purpose', 'profile'), name='one_head_per_consent', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('valid_until__gte', datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.UTC)), ('valid_until__lt', datetime.datetime(2201, 1, 1, 0, 0, tzinfo=datetime.UTC))), name='head_valid_until_readable')],
                },
            ),
            migrations.CreateModel(
                name='LedgerAnchor',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('number', models.PositiveIntegerField(unique=True, verbose_name='number')),
                    ('at', models.DateTimeField(verbose_name='at')),
                    ('root', models.BinaryField(max_length=32, verbose_name='Merkle root')),
                    ('chains', models.BigIntegerField(verbose_name='consent chains')),
                    ('entries', models.BigIntegerField(verbose_name='consent entries')),
                    ('days', models.BigIntegerField(verbose_name='days of the audit trail')),
                    ('audit_entries', models.BigIntegerField(verbose_name='audit entries')),
                    ('notices', models.BigIntegerField(db_default=0, default=0, verbose_name='notice versions')),
                    ('deviations', models.BigIntegerField(help_text='Chains that no longer held what an earlier anchor had seen, and anchors taken from the folder.', verbose_name='deviations')),
                ],
                options={
                    'verbose_name': 'ledger anchor',
                    'verbose_name_plural': 'ledger anchors',
                    'ordering': ('-number',),
                },
            ),
            migrations.CreateModel(
                name='ConsentItem',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('address_id', models.UUIDField(verbose_name='address')),
                    ('profile_id', models.UUIDField(db_index=True, verbose_name='profile')),
                    ('brand_id', models.UUIDField(verbose_name='brand')),
                    ('source_id', models.UUIDField(verbose_name='source')),
                    ('event_id', models.BigIntegerField(verbose_name='event')),
                    ('message_id', models.CharField(max_length=100, verbose_name='message id')),
                    ('occurred_at', models.DateTimeField(verbose_name='occurred at')),
                    ('received_at', models.DateTimeField(verbose_name='received at')),
                    ('request', models.JSONField(verbose_name='request')),
                ],
                options={
                    'verbose_name': 'consent to apply',
                    'verbose_name_plural': 'consent queue',
                    'db_table': 'consent_queue',
                },
            ),
            migrations.CreateModel(
                name='Confirmation',
                fields=[
                    ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                    ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.brand', verbose_name='brand')),
                    ('address', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.address', verbose_name='address')),
                    ('profile', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='customers.profile', verbose_name='profile')),
                    ('purpose', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consent.purpose', verbose_name='purpose')),
                    ('every_days', models.PositiveSmallIntegerField(null=True, verbose_name='days between messages')),
                    ('ends_pause', models.BooleanField(db_default=False, default=False, verbose_name='ends a pause')),
                    ('notice_version', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consent.noticeversion', verbose_name='notice version')),
                    ('language', models.CharField(blank=True, max_length=20, verbose_name='language shown')),
                    ('method', models.CharField(choices=[('event', 'event of a source'), ('claim', 'unproven claim'), ('one_click', 'one-click unsubscribe'), ('link', 'link in a message'), ('api', 'API'), ('staff', 'member of staff'), ('import', 'import'), ('login', 'log-in'), ('double_opt_in', 'double opt-in'), ('keyword', 'keyword reply'), ('provider', "provider's report")], max_length=14, verbose_name='asked by')),
                    ('asked_at', models.DateTimeField(verbose_name='asked at')),
                    ('expires_at', models.DateTimeField(verbose_name='expires at')),
                    ('outcome', models.CharField(choices=[('open', 'waits for an answer'), ('confirmed', 'confirmed'), ('overtaken', 'overtaken'), ('expired', 'expired'), ('held_back', 'not sent: too many that day')], default='open', max_length=10, verbose_name='outcome')),
                    ('answered_at', models.DateTimeField(blank=True, null=True, verbose_name='answered at')),
                    ('requested_entry_id', models.BigIntegerField(null=True, verbose_name='entry of the request')),
                    ('given_entry_id', models.BigIntegerField(null=True, verbose_name='entry of the consent')),
                ],
                options={
                    'verbose_name': 'request for confirmation',
                    'verbose_name_plural': 'requests for confirmation',
                    'constraints': [models.UniqueConstraint(condition=models.Q(('outcome', 'open')), fields=('address', 'brand', 'purpose', 'ends_pause'), name='one_open_confirmation', nulls_distinct=False), models.CheckConstraint(condition=models.Q(models.Q(('ends_pause', False), ('every_days__isnull', True), ('purpose__isnull', False)), models.Q(('ends_pause', False), ('every_days__isnull', False), ('purpose__isnull', True)), models.Q(('ends_pause', True), ('every_days__isnull', True), ('purpose__isnull', True)), _connector='OR'), name='confirmation_asks_for_one_thing')],
                },
            ),
            migrations.CreateModel(
                name='Pause',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.brand', verbose_name='brand')),
                    ('address', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.address', verbose_name='address')),
                    ('since', models.DateTimeField(verbose_name='since')),
                    ('until', models.DateTimeField(verbose_name='until')),
                    ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='ended at')),
                    ('method', models.CharField(choices=[('event', 'event of a source'), ('claim', 'unproven claim'), ('one_click', 'one-click unsubscribe'), ('link', 'link in a message'), ('api', 'API'), ('staff', 'member of staff'), ('import', 'import'), ('login', 'log-in'), ('double_opt_in', 'double opt-in'), ('keyword', 'keyword reply'), ('provider', "provider's report")], max_length=14, verbose_name='method')),
                    ('message_id', models.CharField(blank=True, max_length=100, verbose_name='message')),
                ],
                options={
                    'verbose_name': 'pause',
                    'verbose_name_plural': 'pauses',
                    'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('address', 'brand', 'method'), name='one_open_pause'), models.CheckConstraint(condition=models.Q(('until__gt', models.F('since'))), name='pause_ends_after_it_begins')],
                },
            ),
            migrations.CreateModel(
                name='Preference',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.brand', verbose_name='brand')),
                    ('address', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.address', verbose_name='address')),
                    ('language', models.CharField(blank=True, help_text='Empty: as the person has it.', max_length=20, verbose_name='language')),
                    ('every_days', models.PositiveSmallIntegerField(default=0, help_text='At most one marketing message in so many days. 0: no limit.', verbose_name='days between messages')),
                    ('changed_at', models.DateTimeField(verbose_name='changed at')),
                ],
                options={
                    'verbose_name': 'preference',
                    'verbose_name_plural': 'preferences',
                    'constraints': [models.UniqueConstraint(fields=('address', 'brand'), name='one_preference_per_address')],
                },
            ),
            migrations.CreateModel(
                name='Suppression',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('address', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.address', verbose_name='address')),
                    ('brand', models.ForeignKey(blank=True, help_text='Empty: in every brand.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.brand', verbose_name='brand')),
                    ('reason', models.CharField(choices=[('bounce', 'hard bounce'), ('complaint', 'complaint'), ('stop', 'STOP reply'), ('erasure', 'erasure'), ('manual', 'by hand')], max_length=10, verbose_name='reason')),
                    ('created_at', models.DateTimeField(verbose_name='created at')),
                    ('lifted_at', models.DateTimeField(blank=True, null=True, verbose_name='lifted at')),
                ],
                options={
                    'verbose_name': 'suppression',
                    'verbose_name_plural': 'suppressions',
                    'constraints': [models.UniqueConstraint(condition=models.Q(('lifted_at__isnull', True)), fields=('address', 'brand', 'reason'), name='one_open_suppression', nulls_distinct=False)],
                },
            ),
        ),
    ]
