"""Outgoing webhooks: other systems are told of a brand's events, each at least once, signed by Standard Webhooks."""
