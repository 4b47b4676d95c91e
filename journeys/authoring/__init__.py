"""The authoring form: fields described from the structs of the definition, and both ways between form and document.

The draft document is the truth. `describe` says what fields a struct has; `controls` shows a document as
controls; `post` reads a submitted form back into a document; `edits` adds, moves and removes parts of one.
All of it is pure: what a brand offers to choose from comes in as `Choices`.
"""
