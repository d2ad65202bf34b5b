"""Reading what rules find wrong."""

from collections.abc import Iterable

from core.errors import FieldError


def told(errors: Iterable[FieldError]) -> list[tuple[str, str]]:
    """(pointer, code) of each fault, in order."""
    return [(error.pointer, error.code) for error in errors]


def wanted(faults: str) -> list[tuple[str, str]]:
    """`wanted("choice/options/3 blank, choice/answers required")`: the same, written short."""
    return [(f"#/{pointer}", code) for pointer, code in (fault.split() for fault in faults.split(", ") if fault)]
