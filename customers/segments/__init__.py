"""Segments: who is in, kept as intervals, by a rule that is looked at again in whom its inputs have changed."""
