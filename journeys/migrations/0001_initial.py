"""Journeys and their versions, runs and all that is noted of them."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import customers.ids
from customers.sql import CreateModels, append_only

# Runs move often.
VACUUM_EARLY = "ALTER TABLE journeys_run SET (autovacuum_vacuum_scale_factor = 0.02, fillfactor = 90)"
VACUUM_AS_USUAL = "ALTER TABLE journeys_run RESET (autovacuum_vacuum_scale_factor, fillfactor)"


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('channels', '0001_initial'),
        ('customers', '0007_identifier_kinds'),
    ]

    operations = [
        CreateModels(
            migrations.CreateModel(
                name='Journey',
                fields=[
                    ('id', models.UUIDField(default=customers.ids.new_id, editable=False, primary_key=True, serialize=False)),
                    ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='journeys', to='customers.brand', verbose_name='brand')),
                    ('squad', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.squad', verbose_name='squad')),
                    ('key', models.SlugField(max_length=64, verbose_name='key')),
                    ('name', models.CharField(max_length=200, verbose_name='name')),
                    ('description', models.TextField(blank=True, verbose_name='description')),
                    ('status', models.CharField(choices=[('draft', 'draft'), ('live', 'live'), ('paused', 'paused'), ('archived', 'archived')], default='draft', max_length=8, verbose_name='status')),
                    ('draft', models.JSONField(blank=True, default=dict, verbose_name='draft')),
                    ('draft_revision', models.PositiveIntegerField(default=0, editable=False, help_text='How often the draft was saved: two people at once notice each other by it.', verbose_name="draft's revision")),
                    ('live_version', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='journeys.journeyversion', verbose_name='live version')),
                    ('ramp_over', models.JSONField(editable=False, help_text='The ramp, as it is written, after which somebody let everybody in.', null=True, verbose_name='group that everybody follows')),
                    ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created at')),
                ],
                options={
                    'verbose_name': 'journey',
                    'verbose_name_plural': 'journeys',
                    'ordering': ('name',),
                    'permissions': (('publish_journey', 'Can publish journey'),),
                    'constraints': [models.UniqueConstraint(fields=('brand', 'key'), name='one_journey_key_per_brand')],
                },
            ),
            migrations.CreateModel(
                name='JourneyVersion',
                fields=[
                    ('id', models.AutoField(primary_key=True, serialize=False)),
                    ('journey', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='journeys.journey', verbose_name='journey')),
                    ('number', models.PositiveIntegerField(verbose_name='version')),
                    ('definition', models.JSONField(verbose_name='definition')),
                    ('bindings', models.JSONField(help_text='What the keys in the definition stood for when it was published.', verbose_name='bindings')),
                    ('published_at', models.DateTimeField(verbose_name='published at')),
                    ('published_by', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='published by')),
                    ('returns_to', models.ForeignKey(db_constraint=False, db_index=False, help_text='The earlier version whose document was made live again.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='journeys.journeyversion', verbose_name='return to')),
                ],
                options={
                    'verbose_name': 'journey version',
                    'verbose_name_plural': 'journey versions',
                    'ordering': ('journey', '-number'),
                    'constraints': [models.UniqueConstraint(fields=('journey', 'number'), name='one_number_per_journey')],
                },
            ),
            migrations.CreateModel(
                name='DraftRevision',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('journey', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='draft_revisions', to='journeys.journey', verbose_name='journey')),
                    ('number', models.PositiveIntegerField(verbose_name='revision')),
                    ('document', models.JSONField(verbose_name='document')),
                    ('saved_at', models.DateTimeField(verbose_name='saved at')),
                    ('saved_by', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='saved by')),
                ],
                options={
                    'verbose_name': 'draft revision',
                    'verbose_name_plural': 'draft revisions',
                    'ordering': ('journey', '-number'),
                    'constraints': [models.UniqueConstraint(fields=('journey', 'number'), name='one_draft_of_a_number')],
                },
            ),
            migrations.CreateModel(
                name='Changeover',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('journey', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='changeovers', to='journeys.journey', verbose_name='journey')),
                    ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='journeys.journeyversion', verbose_name='version')),
                    ('plan', models.JSONField(help_text='By version and step, what becomes of those who stand there; who is not named stays.', verbose_name='plan')),
                    ('since', models.DateTimeField(verbose_name='since')),
                    ('decided_by', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                    ('moved', models.IntegerField(default=0, verbose_name='moved')),
                    ('ended', models.IntegerField(default=0, verbose_name='taken out')),
                    ('worked_at', models.DateTimeField(null=True, verbose_name='gone through to entries of')),
                    ('worked_run', models.BigIntegerField(default=0, verbose_name='gone through to run')),
                    ('looks_again_at', models.DateTimeField(null=True, verbose_name='looks again at')),
                    ('settled_at', models.DateTimeField(null=True, verbose_name='settled at')),
                ],
                options={
                    'verbose_name': 'changeover',
                    'verbose_name_plural': 'changeovers',
                },
            ),
            migrations.CreateModel(
                name='Halt',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('journey', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='halts', to='journeys.journey', verbose_name='journey')),
                    ('waiting', models.CharField(choices=[('time_goes_on', 'rest; what came due meanwhile happens on resuming'), ('time_stands', 'rest; every wait is longer by the pause'), ('end', 'end at once')], max_length=12, verbose_name='those waiting')),
                    ('since', models.DateTimeField(verbose_name='since')),
                    ('halted_by', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                    ('resumed_at', models.DateTimeField(null=True, verbose_name='resumed at')),
                    ('settled_at', models.DateTimeField(null=True, verbose_name='settled at')),
                    ('worked_at', models.DateTimeField(null=True, verbose_name='gone through to entries of')),
                    ('worked_run', models.BigIntegerField(default=0, verbose_name='gone through to run')),
                ],
                options={
                    'verbose_name': 'halt',
                    'verbose_name_plural': 'halts',
                    'constraints': [models.UniqueConstraint(condition=models.Q(('settled_at__isnull', True)), fields=('journey',), name='one_unsettled_halt_per_journey')],
                },
            ),
            migrations.CreateModel(
                name='Occurrence',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('journey', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='journeys.journey', verbose_name='journey')),
                    ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='journeys.journeyversion', verbose_name='version')),
                    ('at', models.DateTimeField(verbose_name='at')),
                    ('state', models.CharField(choices=[('planned', 'planned'), ('called', 'people were called in'), ('late', 'left out: nothing ran then, and it was too late afterwards'), ('paused', 'left out: the journey was paused'), ('no_segment', 'left out: nobody knew who was in the segment'), ('failed', 'left out: it failed again and again')], default='planned', max_length=12, verbose_name='what came of it')),
                    ('job', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='customers.job', verbose_name='job')),
                    ('settled_at', models.DateTimeField(null=True, verbose_name='settled at')),
                ],
                options={
                    'verbose_name': 'occurrence',
                    'verbose_name_plural': 'occurrences',
                    'indexes': [models.Index(condition=models.Q(('state', 'planned')), fields=['at'], name='occurrence_planned')],
                    'constraints': [models.UniqueConstraint(fields=('journey', 'at'), name='one_occurrence_per_moment'), models.UniqueConstraint(condition=models.Q(('state', 'planned')), fields=('journey',), name='one_occurrence_is_next')],
                },
            ),
            migrations.CreateModel(
                name='Run',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('journey', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='journeys.journey', verbose_name='journey')),
                    ('version', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='journeys.journeyversion', verbose_name='version')),
                    ('customer', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='customers.customer', verbose_name='customer')),
                    ('profile', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='customers.profile', verbose_name='profile')),
                    ('entry_key', models.CharField(blank=True, default='', max_length=200, verbose_name='entry key')),
                    ('status', models.SmallIntegerField(choices=[(1, 'active'), (2, 'completed'), (3, 'exited'), (4, 'failed'), (5, 'expired'), (6, 'merged')], default=1, verbose_name='status')),
                    ('step', models.SmallIntegerField(verbose_name='step')),
                    ('state', models.SmallIntegerField(verbose_name='state')),
                    ('seq', models.IntegerField(help_text='Transitions so far.', verbose_name='sequence')),
                    ('timed_out_step', models.SmallIntegerField(help_text='The hold whose time-out led here, until an event resumes.', null=True, verbose_name='timed-out hold')),
                    ('entered_at', models.DateTimeField(verbose_name='entered at')),
                    ('stepped_at', models.DateTimeField(verbose_name='at this step since')),
                    ('due_at', models.DateTimeField(null=True, verbose_name='due at')),
                    ('ends_at', models.DateTimeField(null=True, verbose_name='ends at the latest')),
                    ('waits_until', models.DateTimeField(null=True, verbose_name='would wait until')),
                    ('ended_at', models.DateTimeField(null=True, verbose_name='ended at')),
                    ('rests_due_at', models.DateTimeField(null=True, verbose_name='came due while its journey was paused')),
                    ('merged_into_id', models.BigIntegerField(null=True, verbose_name='merged into')),
                    ('merged_due_at', models.DateTimeField(null=True, verbose_name='would have been due at')),
                ],
                options={
                    'verbose_name': 'run',
                    'verbose_name_plural': 'runs',
                    'indexes': [models.Index(condition=models.Q(('status', 1)), fields=['due_at'], name='run_due'), models.Index(fields=['profile'], name='run_by_profile'), models.Index(fields=['journey', 'entered_at'], name='run_by_journey')],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('status', 1)), fields=('customer', 'journey', 'entry_key'), name='one_live_run_per_key')],
                },
            ),
            migrations.CreateModel(
                name='RunContext',
                fields=[
                    ('run', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='context', serialize=False, to='journeys.run')),
                    ('event_id', models.BigIntegerField(null=True, verbose_name='entry event')),
                    ('event_received_at', models.DateTimeField(null=True, verbose_name='entry event received at')),
                    ('occurred_at', models.DateTimeField(verbose_name='entry occurred at')),
                    ('message_id', models.CharField(blank=True, max_length=100, verbose_name='entry message id')),
                    ('consent_entry_id', models.BigIntegerField(null=True, verbose_name='consent at entry')),
                    ('variables', models.JSONField(help_text='Properties of the entry event, personal.', verbose_name='variables')),
                ],
                options={
                    'verbose_name': 'run context',
                    'verbose_name_plural': 'run contexts',
                },
            ),
            migrations.CreateModel(
                name='Transition',
                fields=[
                    ('pk', models.CompositePrimaryKey('run_id', 'seq', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='transitions', to='journeys.run')),
                    ('seq', models.IntegerField(verbose_name='sequence')),
                    ('at', models.DateTimeField(verbose_name='at')),
                    ('step_from', models.SmallIntegerField(null=True, verbose_name='from step')),
                    ('step_to', models.SmallIntegerField(help_text='Empty: left by an exit.', null=True, verbose_name='to step')),
                    ('state_to', models.SmallIntegerField(verbose_name='to state')),
                    ('cause', models.SmallIntegerField(choices=[(1, 'entered'), (2, 'continued'), (3, 'awaited event'), (4, 'time came'), (5, 'timed out'), (6, 'rule'), (7, 'no rule held'), (8, 'exit'), (9, 'reached an end'), (10, 'merged into an elder run'), (11, 'failed'), (12, 'came back, as the merge was undone'), (13, 'did not come back: another of its key had begun'), (14, 'the person was erased'), (15, 'the person had processing restricted'), (16, 'the date was past or missing'), (17, 'drawn by lot'), (18, 'waits anew'), (19, 'best of what came'), (25, 'taken up again, after it had been given up'), (30, 'the journey was stopped'), (40, 'moved to another version'), (41, 'taken out as a new version was published'), (50, 'reached a goal'), (51, 'had been in the journey for as long as it lets anybody'), (52, 'something was said of the customer'), (53, 'went to another journey as well'), (54, 'the other journey did not take them'), (55, 'the other system replied'), (56, 'the other system could not be asked'), (57, 'the other system could not be asked, which nothing caught')], verbose_name='cause')),
                    ('branch', models.SmallIntegerField(null=True, verbose_name='branch')),
                    ('event_id', models.BigIntegerField(null=True, verbose_name='event')),
                    ('event_received_at', models.DateTimeField(null=True, verbose_name='event received at')),
                    ('version_from', models.IntegerField(null=True, verbose_name='moved from version')),
                ],
                options={
                    'verbose_name': 'transition',
                    'verbose_name_plural': 'transitions',
                    'indexes': [models.Index(condition=models.Q(('version_from__isnull', False)), fields=['run', 'seq'], name='moved_between_versions')],
                },
            ),
            migrations.CreateModel(
                name='RuleInputs',
                fields=[
                    ('pk', models.CompositePrimaryKey('run_id', 'seq', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='journeys.run')),
                    ('seq', models.IntegerField(verbose_name='sequence')),
                    ('traits', models.JSONField(verbose_name='traits')),
                    ('facts', models.JSONField(help_text='Segments, permissions, and the run itself.', null=True, verbose_name='what else')),
                ],
                options={
                    'verbose_name': 'rule inputs',
                    'verbose_name_plural': 'rule inputs',
                },
            ),
            migrations.CreateModel(
                name='Variable',
                fields=[
                    ('pk', models.CompositePrimaryKey('run_id', 'name', 'seq', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='journeys.run')),
                    ('name', models.CharField(max_length=60, verbose_name='variable')),
                    ('seq', models.IntegerField(help_text='The move that gave it.', verbose_name='sequence')),
                    ('text', models.TextField(null=True, verbose_name='text')),
                    ('number', models.FloatField(null=True, verbose_name='number')),
                    ('boolean', models.BooleanField(null=True, verbose_name='yes or no')),
                    ('moment', models.DateTimeField(null=True, verbose_name='moment')),
                ],
                options={
                    'verbose_name': 'variable',
                    'verbose_name_plural': 'variables',
                },
            ),
            migrations.CreateModel(
                name='EntryMemory',
                fields=[
                    ('pk', models.CompositePrimaryKey('journey_id', 'profile_id', 'entry_key', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('journey_id', models.UUIDField(verbose_name='journey')),
                    ('profile_id', models.UUIDField(verbose_name='profile')),
                    ('entry_key', models.CharField(default='', max_length=200, verbose_name='entry key')),
                    ('last_entered_at', models.DateTimeField(verbose_name='last entered at')),
                    ('last_ended_at', models.DateTimeField(null=True, verbose_name='last ended at')),
                ],
                options={
                    'verbose_name': 'entry memory',
                    'verbose_name_plural': 'entry memories',
                },
            ),
            migrations.CreateModel(
                name='EntryRefusal',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('journey_id', models.UUIDField(verbose_name='journey')),
                    ('version_id', models.IntegerField(verbose_name='version')),
                    ('profile_id', models.UUIDField(db_index=True, verbose_name='profile')),
                    ('entry_key', models.CharField(blank=True, default='', max_length=200, verbose_name='entry key')),
                    ('event_id', models.BigIntegerField(null=True, verbose_name='event')),
                    ('event_received_at', models.DateTimeField(null=True, verbose_name='event received at')),
                    ('reason', models.CharField(choices=[('already_live', 'a run of this key is live'), ('not_again', 'entered before and may not again'), ('not_yet', 'entered before, too short a time ago'), ('no_consent', 'no consent'), ('paused', 'the person has paused messages'), ('no_address', 'no address for any channel'), ('exit_already_true', 'an exit rule already holds'), ('key_missing', 'the entry key is missing'), ('restricted', 'the person had processing restricted'), ('rule_not_met', 'the entry rule does not hold'), ('excluded', 'in the segment that is kept out'), ('entry_cap', 'came in as often as the cap allows'), ('outside_ramp', 'not in the group that goes first'), ('concurrency_cap', 'in as many journeys as the brand allows')], max_length=20, verbose_name='reason')),
                    ('consent_entry_id', models.BigIntegerField(null=True, verbose_name='consent that refused')),
                    ('live_run_id', models.BigIntegerField(null=True, verbose_name='run that was live')),
                    ('exit_rule', models.SmallIntegerField(help_text='Its number in the version, from 0.', null=True, verbose_name='exit rule that held')),
                    ('counted', models.SmallIntegerField(null=True, verbose_name='counted')),
                    ('most', models.SmallIntegerField(null=True, verbose_name='allowed')),
                    ('at', models.DateTimeField(verbose_name='at')),
                ],
                options={
                    'verbose_name': 'refused entry',
                    'verbose_name_plural': 'refused entries',
                    'indexes': [models.Index(fields=['journey_id', 'at'], name='refusal_by_journey')],
                },
            ),
            migrations.CreateModel(
                name='RecheckItem',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('run_id', models.BigIntegerField(db_index=True, verbose_name='run')),
                ],
                options={
                    'verbose_name': 'run to re-check',
                    'verbose_name_plural': 're-check queue',
                    'db_table': 'journeys_recheck_queue',
                },
            ),
            migrations.CreateModel(
                name='CancelWatch',
                fields=[
                    ('message_id', models.UUIDField(primary_key=True, serialize=False)),
                    ('run_id', models.BigIntegerField(verbose_name='run')),
                    ('version_id', models.IntegerField(verbose_name='version')),
                    ('step', models.SmallIntegerField(verbose_name='step whose events cancel')),
                ],
                options={
                    'verbose_name': 'cancel watch',
                    'verbose_name_plural': 'cancel watches',
                },
            ),
        ),
        append_only("journeys_journeyversion"),
        append_only("journeys_transition"),
        migrations.RunSQL(VACUUM_EARLY, VACUUM_AS_USUAL),
    ]
