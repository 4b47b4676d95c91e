"""Double opt-in: what was asked for takes effect when the mail about it is confirmed from the mailbox itself."""
