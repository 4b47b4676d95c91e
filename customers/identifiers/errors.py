"""Why a value identifies nobody."""


class IdentifierError(ValueError):
    """`code` and `hint` say what is wrong and what to send."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


def too_long(limit: int) -> IdentifierError:
    return IdentifierError("identifier_too_long", f"Longer than {limit} characters.", "Send the id alone.")


def unseen() -> IdentifierError:
    return IdentifierError(
        "control_character",
        "Holds a control, bidirectional or zero-width character.",
        "Send visible characters only.",
    )


def blocked() -> IdentifierError:
    return IdentifierError(
        "blocked_identifier",
        "A placeholder that stands for nobody.",
        "Leave the field out, or send null.",
    )
