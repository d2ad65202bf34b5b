"""What all services of courses share: locking a row, checking a row, and noting what changed."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model, QuerySet

from core.errors import FieldError, InvalidInput, NotFound

ModelT = TypeVar("ModelT", bound=Model)

# Stands in the audit for what must not be quoted there, such as templates, which can hold test data.
NOT_QUOTED = "(not quoted)"


def row_lock(rows: QuerySet[ModelT], pk: int) -> ModelT:
    """The row of this key, held until the transaction ends. Rows that merely refer to it can still be added meanwhile.

    Raises:
        NotFound: it is not among `rows`, or not any more.
    """
    row = rows.select_for_update(no_key=True).filter(pk=pk).first()
    if row is None:
        raise NotFound
    return row


def row_errors(row: Model, *, at: str = "#", exclude: Collection[str] = ()) -> list[FieldError]:
    """What the model itself has against a row: fields, choices, uniqueness and constraints. `at`: where its fields are.

    Uniqueness holds only as long as the caller keeps a lock on what the row is unique within.
    """
    return _errors_of(partial(row.full_clean, exclude=exclude), at)


def field_errors(row: Model, *, at: str = "#") -> list[FieldError]:
    """What the model has against the values of a row's own columns; asks the database nothing."""
    relations = [field.name for field in row._meta.concrete_fields if field.is_relation]
    return _errors_of(partial(row.clean_fields, exclude=relations), at)


def refuse(errors: Collection[FieldError]) -> None:
    """Raise `InvalidInput` with all the errors, if there are any."""
    if errors:
        first = next(iter(errors))
        raise InvalidInput(f"{first.pointer}: {first.detail}", errors=tuple(errors))


def changes_apply(row: Model, changes: Mapping[str, Any], *, unquoted: Collection[str] = ()) -> dict[str, list[Any]]:
    """Set what differs on a row, unsaved, and return it for the audit: `{field: [before, after]}`."""
    changed: dict[str, list[Any]] = {}
    for name, after in changes.items():
        before = getattr(row, name)
        if before != after:
            setattr(row, name, after)
            changed[name] = [NOT_QUOTED, NOT_QUOTED] if name in unquoted else [before, after]
    return changed


def _errors_of(check: Callable[[], None], at: str) -> list[FieldError]:
    try:
        check()
    except ValidationError as error:
        return [_field_error(name, fault, at) for name, faults in error.error_dict.items() for fault in _flat(faults)]
    return []


def _flat(faults: Any) -> list[ValidationError]:
    return [inner for fault in faults for inner in fault.error_list]


def _field_error(name: str, fault: ValidationError, at: str) -> FieldError:
    code = fault.code or "invalid"
    detail = "; ".join(fault.messages)
    if name == NON_FIELD_ERRORS:
        # Two fields together are taken: the last one named is the author's, the first what it is unique within.
        fields = (fault.params or {}).get("unique_check", ())
        if not fields:
            return FieldError(pointer=at, code=code, detail=detail)
        return FieldError(pointer=f"{at}/{fields[-1]}", code="unique", detail=f"This {fields[-1]} is taken.")
    return FieldError(pointer=f"{at}/{name}", code=code, detail=detail)
