"""Formulas, written once: one file each, with the definition that is printed beside the number."""
