"""The doors of the act layer."""
