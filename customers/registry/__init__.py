"""The event registry's own verbs: how schemas may follow one another, and how old events are read in the new shape."""
