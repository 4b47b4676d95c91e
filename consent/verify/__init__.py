"""Whether the ledgers are what was written: each chain by itself, and against what was anchored outside."""
