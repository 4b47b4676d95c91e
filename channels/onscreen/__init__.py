"""In-app inbox and web slots: putting messages there, showing them to whom they are for, and what comes of it."""
