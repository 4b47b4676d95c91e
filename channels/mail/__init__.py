"""How a letter is laid out: its page from MJML, and its plain words from the page."""
