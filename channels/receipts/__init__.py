"""What providers tell later: kept as it came, read, and applied to the messages it is about, which only move on."""
