"""The doors: HTTP in front of acceptance."""
