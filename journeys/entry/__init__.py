"""Who comes in besides by an event, and who does not: what a definition may say of it, and whether that makes sense."""
