"""Pulled content: JSON of other systems in the words of a message, fetched before any lock and within bounds."""
