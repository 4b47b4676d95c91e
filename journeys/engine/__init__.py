"""The engine: enroll, match, advance, re-check and follow merges, each a set-based stage around one pure walk."""
