"""The products of a brand: told by files, partners and hooks, shown in messages by what people looked at."""
