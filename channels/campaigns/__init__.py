"""Campaigns: which journeys and broadcasts serve them."""
