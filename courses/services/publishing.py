"""The window within which what is published is seen: what authors may say of it."""

from collections.abc import Collection

from django.utils import timezone

from core.errors import FieldError
from courses.models.publishing import Publishable

WINDOW_FIELDS = ("published_from", "published_until")


def window_errors(row: Publishable, changed: Collection[str]) -> list[FieldError]:
    """What is wrong with a row's window, of which the fields in `changed` are new.

    A moment that is being set lies in the future by the application's clock: to publish now, or to take back now, is
    what the status is for. One that was set earlier may have passed since.
    """
    now = timezone.now()
    errors = [
        FieldError(pointer=f"#/{name}", code="in_the_past", detail="This moment has passed.")
        for name in WINDOW_FIELDS
        if name in changed and (moment := getattr(row, name)) is not None and moment <= now
    ]
    if (
        not errors
        and row.published_from is not None
        and row.published_until is not None
        and row.published_until <= row.published_from
    ):
        detail = "What is published ends after it began."
        errors.append(FieldError(pointer="#/published_until", code="not_after_from", detail=detail))
    return errors
