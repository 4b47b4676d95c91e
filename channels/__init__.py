"""Act: connectors, templates, the outbox and its dispatch."""
