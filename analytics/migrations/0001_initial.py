"""What was counted at the touchpoints of journey maps."""

import django.db.models.deletion
from django.db import migrations, models

from customers.sql import CreateModels


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('journeys', '0003_calls_lists_and_simulations'),
    ]

    operations = [
        CreateModels(
            migrations.CreateModel(
                name='MapCount',
                fields=[
                    ('map', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='journeys.journeymap', verbose_name='journey map')),
                    ('basis', models.CharField(default='', max_length=64, verbose_name='basis')),
                    ('since', models.DateField(null=True, verbose_name='counted since')),
                    ('counted_at', models.DateTimeField(null=True, verbose_name='counted at')),
                    ('recounted_at', models.DateTimeField(null=True, verbose_name='earlier days counted again at')),
                ],
                options={
                    'verbose_name': 'count of a map',
                    'verbose_name_plural': 'counts of maps',
                },
            ),
            migrations.CreateModel(
                name='TouchpointDay',
                fields=[
                    ('pk', models.CompositePrimaryKey('touchpoint_id', 'day', 'outcome', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('touchpoint', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='journeys.touchpoint', verbose_name='touchpoint')),
                    ('day', models.DateField(verbose_name='day')),
                    ('outcome', models.CharField(max_length=20, verbose_name='outcome')),
                    ('count', models.IntegerField(verbose_name='count')),
                ],
                options={
                    'verbose_name': 'day of a touchpoint',
                    'verbose_name_plural': 'days of touchpoints',
                },
            ),
            migrations.CreateModel(
                name='TouchpointMove',
                fields=[
                    ('pk', models.CompositePrimaryKey('map_id', 'day', 'from_touchpoint_id', 'to_touchpoint_id', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('map', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='journeys.journeymap', verbose_name='journey map')),
                    ('day', models.DateField(verbose_name='day')),
                    ('from_touchpoint', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='journeys.touchpoint', verbose_name='from')),
                    ('to_touchpoint', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='journeys.touchpoint', verbose_name='to')),
                    ('count', models.IntegerField(verbose_name='count')),
                ],
                options={
                    'verbose_name': 'move between touchpoints',
                    'verbose_name_plural': 'moves between touchpoints',
                },
            ),
        ),
    ]
