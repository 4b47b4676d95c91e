"""Pages of the staff outside the admin's own: log-in."""
