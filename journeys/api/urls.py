"""The partner API of journeys."""

from django.urls import path

from journeys.api.entries import Entries
from journeys.api.journeys import JourneyPage, Journeys
from journeys.api.runs import RefusedEntries, RunExit, RunPage, Runs

urlpatterns = [
    path("journeys", Journeys.as_view(), name="api-journeys"),
    path("journeys/<str:journey_id>", JourneyPage.as_view(), name="api-journey"),
    path("journeys/<str:journey_id>/entries", Entries.as_view(), name="api-journey-entries"),
    path("runs", Runs.as_view(), name="api-runs"),
    path("runs/<str:run_id>", RunPage.as_view(), name="api-run"),
    path("runs/<str:run_id>/exit", RunExit.as_view(), name="api-run-exit"),
    path("refused-entries", RefusedEntries.as_view(), name="api-refused-entries"),
]
