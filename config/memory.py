"""The garbage collector, set for processes that work in batches of thousands of small objects."""

import gc

# Python's default of 700 new objects between two collections spends a quarter of a batch's time on looking for
# cycles that the batch does not make (measured on the engine's benchmark journey).
YOUNG = 50_000


def settle() -> None:
    """Call once a process has loaded its modules: what is loaded stays, and is not looked through again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 50)
