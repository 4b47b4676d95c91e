"""The preference centre: what somebody gets from a brand, and what they want of it, by a link in a message."""
