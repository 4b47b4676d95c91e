"""The way of an event: over HTTP into the inbox, and from the inbox through all stages."""
