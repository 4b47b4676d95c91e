"""Inbound webhooks: a body is verified, kept as it came, and only then interpreted by its hook's mapping."""
