"""Forms of structs: what fields one has, its values as controls, and a submitted form read back into values.

`describe` says what fields a struct has; `make` shows values as `controls`; `read` reads a submitted form back;
`edits` adds, moves and removes parts; `words` says them. All of it is pure: what there is to choose from comes in
as `Choices`. Apps above add the kinds of fields that only their documents have.
"""
