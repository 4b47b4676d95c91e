"""Sense: sources, events, one identity per customer, profiles and the rule language."""
