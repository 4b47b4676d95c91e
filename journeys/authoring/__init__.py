"""The form in which journeys are written: what only their documents have, over the forms of customers.authoring.

The draft document is the truth. `controls` shows it, `read` reads a submitted form back into a document, `edits`
adds, moves and removes parts of one. What a brand offers to choose from comes in as `Choices`.
"""
