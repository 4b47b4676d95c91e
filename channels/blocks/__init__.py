"""Content blocks: filled into the words of a template as its version is saved, so that what was said stays said."""
