"""What staff see of a gradebook. A page may have many thousands of cells, so it is written directly.

The serializers describe it, and a test holds the two together.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rest_framework import serializers

from core.spreadsheets import Cell
from courses.api.shown.enrollment import EnrolledUserSerializer
from courses.api.shown.outline import ProgressStatusField
from courses.models import Problem
from courses.selectors.gradebook import GradebookCell, GradebookColumn, GradebookRow
from courses.selectors.locks import moment_as_json


class GradebookProblemSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(read_only=True)
    title = serializers.CharField(read_only=True)
    type = serializers.ChoiceField(choices=Problem.Type.choices, read_only=True)
    publication = serializers.ChoiceField(choices=Problem.Status.choices, read_only=True)
    chapter = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="The first that it stands in; null: none."
    )


class GradebookCellSerializer(serializers.Serializer[Any]):
    status = ProgressStatusField(read_only=True)
    attempts = serializers.IntegerField(read_only=True)
    best_score = serializers.DecimalField(max_digits=5, decimal_places=2, read_only=True)
    credited_score = serializers.DecimalField(
        max_digits=5, decimal_places=2, read_only=True, help_text="After what lateness takes."
    )
    solved_at = serializers.DateTimeField(read_only=True, allow_null=True)


class GradebookRowSerializer(serializers.Serializer[Any]):
    enrollment = serializers.IntegerField(read_only=True)
    user = EnrolledUserSerializer(read_only=True)
    group = serializers.IntegerField(read_only=True, allow_null=True)
    left_at = serializers.DateTimeField(read_only=True, allow_null=True)
    total = serializers.DecimalField(
        max_digits=5,
        decimal_places=2,
        read_only=True,
        allow_null=True,
        help_text="The mean of the credited scores over all problems shown; what has not been begun counts 0.",
    )
    cells = serializers.ListField(
        child=GradebookCellSerializer(allow_null=True),
        read_only=True,
        help_text="One for each of `problems`, in their order; null: not begun.",
    )


class GradebookSerializer(serializers.Serializer[Any]):
    """A page of students; `problems` are the columns, in the order of the course."""

    count = serializers.IntegerField(read_only=True)
    next = serializers.URLField(read_only=True, allow_null=True)
    previous = serializers.URLField(read_only=True, allow_null=True)
    problems = GradebookProblemSerializer(many=True, read_only=True)
    results = GradebookRowSerializer(many=True, read_only=True)


def gradebook_column(column: GradebookColumn) -> dict[str, Any]:
    """A problem as the head of a column."""
    return {
        "id": column.id,
        "title": column.title,
        "type": column.type,
        "publication": column.status,
        "chapter": column.chapter_id,
    }


def gradebook_row(row: GradebookRow) -> dict[str, Any]:
    """A student with their marks."""
    student = row.student
    return {
        "enrollment": student.enrollment_id,
        "user": {"id": student.user_id, "username": student.username, "display_name": student.display_name},
        "group": student.group_id,
        "left_at": moment_as_json(student.left_at),
        "total": None if row.total is None else str(row.total),
        "cells": [cell and _cell(cell) for cell in row.cells],
    }


def _cell(cell: GradebookCell) -> dict[str, Any]:
    return {
        "status": cell.status,
        "attempts": cell.attempts,
        "best_score": f"{cell.best_score:.2f}",
        "credited_score": f"{cell.credited_score:.2f}",
        "solved_at": moment_as_json(cell.solved_at),
    }


def table_header(columns: Sequence[GradebookColumn]) -> list[str]:
    """The first line of an exported gradebook."""
    return ["Username", "Name", "Group", "Left at", "Total", *(column.title for column in columns)]


def table_rows(rows: Iterable[GradebookRow]) -> Iterator[list[Cell]]:
    """The other lines: credited scores as numbers, and empty cells where nothing has been begun."""
    for row in rows:
        student = row.student
        yield [
            student.username,
            student.display_name,
            student.group_name,
            moment_as_json(student.left_at),
            row.total,
            *(None if cell is None else cell.credited_score for cell in row.cells),
        ]
