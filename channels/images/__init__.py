"""The image library: what is handed in is looked through and made anew, kept once, and named in words by its key."""
