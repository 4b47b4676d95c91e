"""Entitlements: what customers were granted, used up, lost again; a ledger that is never below nothing."""
