"""Conversations: what people write back, whose it is, and the words by which they stop or start messages."""
