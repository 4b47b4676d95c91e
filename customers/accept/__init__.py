"""Accept: from the bytes of a request to rows of the inbox, or to a reason why not."""
