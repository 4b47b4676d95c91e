"""Pacing: how much people are written to at most, and at which hours of their own day."""
