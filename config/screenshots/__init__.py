"""Pictures of all staff pages of a demo company: contact sheets to be looked at, and some pages in full size."""
