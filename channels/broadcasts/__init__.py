"""Broadcasts: whoever is in a segment is written down, written to as their time comes, and each of them once."""
