"""Tracking: links that lead by us to where they were to lead, a picture that tells of a letter being opened, and who
of those that came was a machine."""
