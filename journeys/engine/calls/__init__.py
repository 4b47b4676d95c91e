"""Calls of other systems: noted in the run's own move, made outside of any transaction, answered in a move again."""
