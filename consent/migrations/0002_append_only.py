"""The consent ledger is never changed in place; only evidence rows beside it may be erased."""

from django.db import migrations

from customers.sql import append_only


class Migration(migrations.Migration):
    dependencies = (("consent", "0001_initial"), ("customers", "0003_append_only"))

    operations = (append_only("consent_consententry"),)
