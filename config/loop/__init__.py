"""The main job, run once for real: what `make loop` is made of."""
