"""One file for each way of reading identifiers; a new one is found by itself."""
