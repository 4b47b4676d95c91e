"""The public pages of the act layer."""
