"""What the staff's roles may do at all."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission

from config import roles

LEDGERS = {
    "auditentry", "consentchain", "consententry", "consentevidence", "consenthead", "event", "eventpayload",
    "message", "messagecontent", "run", "runcontext", "transition", "journeyversion", "entryrefusal", "entrymemory",
    "customer", "profile", "identifier", "edge", "trait",
}  # fmt: skip
RIGHTS = {"brandgrouppermission", "branduserpermission", "squadgrouppermission", "squaduserpermission"}

pytestmark = pytest.mark.django_db


def of(role: str) -> set[tuple[str, str]]:
    given = Group.objects.get(name=role).permissions.values_list("content_type__model", "codename")
    return {(model, codename.removesuffix(f"_{model}")) for model, codename in given}


def test_every_role_was_seeded_with_what_it_declares() -> None:
    for role in roles.ROLES:
        names = Group.objects.get(name=role).permissions.values_list("content_type__app_label", "codename")
        assert roles.permissions_of(role) <= set(names)


def test_no_role_writes_to_a_ledger_or_gives_rights_or_deletes() -> None:
    for role in roles.ROLES:
        # A merge writes evidence of its own, and changes nobody's; so does a withdrawal on the person's word. What
        # became of a message is said where nobody knew, and noted in the audit trail.
        writes = {(model, verb) for model, verb in of(role) if verb != "view" and model in LEDGERS | RIGHTS}
        assert writes <= {("customer", "merge"), ("consenthead", "withdraw"), ("message", "reconcile")}
        # Who works in a squad, the addresses of colleagues for tests, pictures and hosts that contents are pulled from
        # are lists of the living; in which languages a product has words is said on its page.
        gone = {model for model, verb in of(role) if verb == "delete"}
        assert gone <= {
            "squadmember", "seed", "seedlist", "image", "imagealt", "pulledhost", "producttext", "recommending"
        }  # fmt: skip
        assert not Group.objects.get(name=role).permissions.filter(content_type__app_label="auth").exists()
        assert not Group.objects.get(name=role).permissions.filter(codename="view_pii").exists()


def test_an_auditor_sees_every_model_and_changes_none() -> None:
    seen = of("auditor")
    assert {verb for _model, verb in seen} == {"view"}
    ours = {
        model._meta.model_name
        for app in ("customers", "consent", "channels", "journeys", "analytics")
        for model in apps.get_app_config(app).get_models()
    }
    assert ours - {model for model, _verb in seen} == {"authenticator", "recoverycode", "loginbackoff", "keptanswer"}


def test_a_squad_member_writes_drafts_and_a_marketer_publishes_them() -> None:
    assert ("journey", "change") in of("squad member")
    assert ("journey", "publish") in of("marketer") - of("squad member")


def test_an_agent_reads_people_merges_them_and_suppresses_addresses() -> None:
    assert {(model, verb) for model, verb in of("agent") if verb != "view"} == {
        ("customer", "merge"),
        ("duplicatepair", "change"),
        ("privacyrequest", "add"),
        ("suppression", "add"),
        ("suppression", "change"),
        ("consenthead", "withdraw"),
        ("conversation", "change"),
        ("entitlement", "add"),
        ("entitlement", "change"),
        ("task", "change"),
        ("message", "reconcile"),
    }
    assert ("messagecontent", "view") in of("agent")


def test_seeding_again_takes_nothing_away() -> None:
    extra = Permission.objects.get(codename="add_source")
    marketers = Group.objects.get(name="marketer")
    marketers.permissions.add(extra)
    roles.seed(Permission, Group)
    assert extra in marketers.permissions.all()
