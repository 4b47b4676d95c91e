"""The lab: what Trilha promises, put to the test by real processes that are killed, starved and lied to."""
