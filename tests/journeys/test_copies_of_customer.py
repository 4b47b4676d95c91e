"""Who keeps a copy of customer_id: merges must move every one, so each is named here."""

from django.apps import apps


def test_all_copies_are_known_and_moved() -> None:
    ours = ("customers", "consent", "channels", "journeys", "analytics")
    copies = {
        model._meta.label
        for app in ours
        for model in apps.get_app_config(app).get_models()
        for field in model._meta.concrete_fields
        if field.attname == "customer_id"
    }
    # The profile's is the original; `journeys.engine.merges` moves the others.
    assert copies == {"customers.Profile", "customers.SegmentMembership", "journeys.Run"}
