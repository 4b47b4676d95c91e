"""The public pages of consent: for people without an account, by links that only we can make."""
