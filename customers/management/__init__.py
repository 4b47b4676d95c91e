"""Commands of the sense layer."""
