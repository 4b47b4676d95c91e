"""Consent: purposes, notices, the append-only ledger and what it permits."""
