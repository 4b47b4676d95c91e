"""The work list: tasks for people, made of messages; claimed, released and done, and never after somebody's no."""
