"""Journey maps: stages, channels, touchpoints and the steps placed there."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import customers.ids
from customers.sql import CreateModels, append_only

# A touchpoint's stage and channel are of its own map: two foreign keys each, as Django knows none of two columns.
OF_ONE_MAP = [
    sql
    for part in ("stage", "channel")
    for sql in (
        f"ALTER TABLE journeys_map{part} ADD CONSTRAINT map{part}_of_map UNIQUE (id, map_id)",
        f"ALTER TABLE journeys_touchpoint ADD CONSTRAINT touchpoint_{part}_of_its_map FOREIGN KEY ({part}_id, map_id)"
        f" REFERENCES journeys_map{part} (id, map_id) DEFERRABLE INITIALLY DEFERRED",
    )
]
NOT_OF_ONE_MAP = [
    sql
    for part in ("stage", "channel")
    for sql in (
        f"ALTER TABLE journeys_touchpoint DROP CONSTRAINT touchpoint_{part}_of_its_map",
        f"ALTER TABLE journeys_map{part} DROP CONSTRAINT map{part}_of_map",
    )
]


class Migration(migrations.Migration):

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('journeys', '0001_initial'),
    ]

    operations = [
        CreateModels(
            migrations.CreateModel(
                name='JourneyMap',
                fields=[
                    ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                    ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='journey_maps', to='customers.brand', verbose_name='brand')),
                    ('squad', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.squad', verbose_name='squad')),
                    ('name', models.CharField(max_length=200, verbose_name='name')),
                    ('persona', models.CharField(blank=True, help_text='Who travels: the customers this map is drawn for.', max_length=500, verbose_name='persona')),
                    ('description', models.TextField(blank=True, max_length=4000, verbose_name='description')),
                    ('is_archived', models.BooleanField(default=False, verbose_name='archived')),
                    ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created at')),
                ],
                options={
                    'verbose_name': 'journey map',
                    'verbose_name_plural': 'journey maps',
                    'ordering': ('name',),
                    'constraints': [models.UniqueConstraint(fields=('brand', 'name'), name='one_map_name_per_brand')],
                },
            ),
            migrations.CreateModel(
                name='MapStage',
                fields=[
                    ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                    ('position', models.SmallIntegerField(default=0, verbose_name='position')),
                    ('lock_version', models.PositiveIntegerField(default=1, editable=False, verbose_name='revision')),
                    ('removed_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='removed at')),
                    ('map', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='stages', to='journeys.journeymap', verbose_name='journey map')),
                    ('name', models.CharField(max_length=80, verbose_name='name')),
                    ('question', models.CharField(blank=True, max_length=500, verbose_name="the customer's question")),
                    ('feeling', models.CharField(blank=True, max_length=500, verbose_name='feeling')),
                    ('good_experience', models.CharField(blank=True, max_length=500, verbose_name='a good experience')),
                    ('next_step', models.CharField(blank=True, max_length=500, verbose_name='next step')),
                ],
                options={
                    'verbose_name': 'map stage',
                    'verbose_name_plural': 'map stages',
                    'ordering': ('position', 'id'),
                },
            ),
            migrations.CreateModel(
                name='MapChannel',
                fields=[
                    ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                    ('position', models.SmallIntegerField(default=0, verbose_name='position')),
                    ('lock_version', models.PositiveIntegerField(default=1, editable=False, verbose_name='revision')),
                    ('removed_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='removed at')),
                    ('map', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='channels', to='journeys.journeymap', verbose_name='journey map')),
                    ('kind', models.CharField(choices=[('email', 'e-mail'), ('sms', 'SMS'), ('whatsapp', 'WhatsApp'), ('push', 'push'), ('in_app', 'in-app'), ('web', 'web'), ('store', 'store'), ('call_centre', 'call centre'), ('social', 'social network'), ('marketplace', 'marketplace'), ('ads', 'advertising'), ('partner', 'partner'), ('mail', 'letter or parcel')], max_length=12, verbose_name='kind')),
                    ('name', models.CharField(blank=True, help_text='Only where the kind is not name enough: a certain store.', max_length=80, verbose_name='name')),
                ],
                options={
                    'verbose_name': 'map channel',
                    'verbose_name_plural': 'map channels',
                    'ordering': ('position', 'id'),
                },
            ),
            migrations.CreateModel(
                name='Touchpoint',
                fields=[
                    ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                    ('position', models.SmallIntegerField(default=0, verbose_name='position')),
                    ('lock_version', models.PositiveIntegerField(default=1, editable=False, verbose_name='revision')),
                    ('removed_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='removed at')),
                    ('map', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='touchpoints', to='journeys.journeymap', verbose_name='journey map')),
                    ('stage', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='touchpoints', to='journeys.mapstage', verbose_name='stage')),
                    ('channel', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='touchpoints', to='journeys.mapchannel', verbose_name='channel')),
                    ('name', models.CharField(max_length=120, verbose_name='name')),
                    ('customer_is', models.CharField(blank=True, max_length=500, verbose_name='Who is the customer now?')),
                    ('customer_wants', models.CharField(blank=True, max_length=500, verbose_name='What do they want?')),
                    ('removes_friction', models.CharField(blank=True, max_length=500, verbose_name='Which message reduces friction?')),
                    ('next_step', models.CharField(blank=True, max_length=500, verbose_name='What next step do we want?')),
                    ('message', models.TextField(blank=True, help_text='What we say, in its words.', max_length=2000, verbose_name='message')),
                    ('expected_action', models.CharField(blank=True, max_length=500, verbose_name='expected action')),
                    ('expected_event', models.CharField(blank=True, help_text='Its arrival within the window counts as a conversion, such as order.completed.', max_length=120, verbose_name='event of the expected action')),
                    ('conversion_days', models.PositiveSmallIntegerField(default=7, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(30)], verbose_name='window in days')),
                    ('arrival_event', models.CharField(blank=True, help_text='Where no message is sent (store, call centre): the event that shows a customer was here.', max_length=120, verbose_name='event of a visit')),
                    ('owner_role', models.CharField(blank=True, choices=[('process_owner', 'process owner'), ('data_owner', 'data owner'), ('channel_owner', 'channel owner')], max_length=20, verbose_name="owner's role")),
                    ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='owner')),
                    ('is_critical', models.BooleanField(default=False, help_text='A moment that decides whether the customer goes on.', verbose_name='critical moment')),
                    ('intent', models.CharField(choices=[('planned', 'planned'), ('live', 'live')], default='planned', max_length=8, verbose_name='intent')),
                ],
                options={
                    'verbose_name': 'touchpoint',
                    'verbose_name_plural': 'touchpoints',
                    'ordering': ('position', 'id'),
                    'constraints': [models.CheckConstraint(condition=models.Q(('conversion_days__range', (1, 30))), name='conversion_window_of_1_to_30_days')],
                },
            ),
            migrations.CreateModel(
                name='PlacedStep',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('touchpoint', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='placed_steps', to='journeys.touchpoint', verbose_name='touchpoint')),
                    ('journey', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='journeys.journey', verbose_name='journey')),
                    ('step_id', models.CharField(max_length=60, verbose_name='step')),
                ],
                options={
                    'verbose_name': 'placed step',
                    'verbose_name_plural': 'placed steps',
                    'constraints': [models.UniqueConstraint(fields=('journey', 'step_id'), name='one_place_per_step')],
                },
            ),
            migrations.CreateModel(
                name='MapRevision',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('map', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='revisions', to='journeys.journeymap', verbose_name='journey map')),
                    ('part_id', models.UUIDField(verbose_name='stage, channel or touchpoint')),
                    ('number', models.PositiveIntegerField(verbose_name='revision')),
                    ('action', models.CharField(choices=[('added', 'added'), ('edited', 'edited'), ('moved', 'moved'), ('removed', 'removed'), ('undone', 'undone')], max_length=8, verbose_name='action')),
                    ('values', models.JSONField(verbose_name='values')),
                    ('at', models.DateTimeField(verbose_name='at')),
                    ('by', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ],
                options={
                    'verbose_name': 'map revision',
                    'verbose_name_plural': 'map revisions',
                    'constraints': [models.UniqueConstraint(fields=('part_id', 'number'), name='one_revision_of_a_number')],
                },
            ),
        ),
        append_only("journeys_maprevision"),
        migrations.RunSQL(OF_ONE_MAP, NOT_OF_ONE_MAP),
    ]
