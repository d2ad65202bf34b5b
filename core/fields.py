"""Model fields that behave alike on every database."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

POSITION_MAX = 255


class PositionField(models.CharField):
    """A place in an order, as `core.ordering` makes them; compared byte by byte whatever the database's language is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", POSITION_MAX)
        super().__init__(*args, **kwargs)

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        parameters: dict[str, Any] = dict(super().db_parameters(connection))
        if connection.vendor == "postgresql":
            parameters["collation"] = "C"
        return parameters


class TokenField(models.UUIDField):
    """A random token that saving a row never writes: it is given when the row is made, then by `update()` alone.

    A row in memory may hold a token that was replaced since; saving it must not bring that back (law 5).
    """

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        return super().pre_save(model_instance, add) if add else models.F(self.attname)
