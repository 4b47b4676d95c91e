"""Staff log-in: slowing down who guesses, the second step, and how long a session lasts."""
