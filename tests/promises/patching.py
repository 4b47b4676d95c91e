"""How a control build takes a safeguard out: what it replaces must be there, or the control fits no longer."""

from types import ModuleType


def put(module: ModuleType | type, name: str, value: object) -> None:
    if not hasattr(module, name):
        raise RuntimeError("the control no longer fits the product")
    setattr(module, name, value)


def replaced(text: str, old: str, new: str) -> str:
    if old not in text:
        raise RuntimeError("the control no longer fits the product")
    return text.replace(old, new)
