"""Indexes on tables that are large by now, made while others write."""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db.migrations.operations import AddIndex, RemoveIndex


class AddIndexOnline(AddIndexConcurrently):
    """`AddIndex` that locks no writer out on PostgreSQL; elsewhere the plain one. Its migration is not atomic."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        _chosen(self, AddIndex, schema_editor).database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        _chosen(self, AddIndex, schema_editor).database_backwards(self, app_label, schema_editor, from_state, to_state)


class RemoveIndexOnline(RemoveIndexConcurrently):
    """`RemoveIndex`, as `AddIndexOnline`."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        _chosen(self, RemoveIndex, schema_editor).database_forwards(
            self, app_label, schema_editor, from_state, to_state
        )

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        _chosen(self, RemoveIndex, schema_editor).database_backwards(
            self, app_label, schema_editor, from_state, to_state
        )


def _chosen(operation: Any, plain: Any, schema_editor: Any) -> Any:
    concurrent = type(operation).__mro__[1]
    return concurrent if schema_editor.connection.vendor == "postgresql" else plain
