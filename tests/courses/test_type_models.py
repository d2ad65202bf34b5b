"""What the database itself refuses of choices, blanks and answers to them, each constraint by a row that breaks it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from courses.models import CheckQuota, ChoiceProblem, FillBlankProblem, PracticeAnswer
from tests.accounts.factories import UserFactory
from tests.courses.factories import ChoiceProblemFactory, FillBlankProblemFactory, PracticeAnswerFactory


def texts(count: int) -> list[str]:
    return [f"option {number}" for number in range(count)]


VIOLATIONS: list[tuple[str, Callable[[], Any], str]] = [
    ("one option", lambda: ChoiceProblemFactory(options=texts(1), answers="A"), "choice_options_2_to_26"),
    ("27 options", lambda: ChoiceProblemFactory(options=texts(27), answers="A"), "choice_options_2_to_26"),
    ("unknown scoring", lambda: ChoiceProblemFactory(scoring="half"), "choice_scoring_known"),
    ("no answer", lambda: ChoiceProblemFactory(answers=""), "choice_has_an_answer"),
    (
        "two answers to a single choice",
        lambda: ChoiceProblemFactory(answers="AB", is_multiple=False),
        "choice_single_has_one_answer",
    ),
    (
        "more answers than options",
        lambda: ChoiceProblemFactory(options=texts(2), answers="ABC"),
        "choice_answers_among_options",
    ),
    ("no blank", lambda: FillBlankProblemFactory(blanks=[]), "fillblank_blanks_1_to_50"),
    ("51 blanks", lambda: FillBlankProblemFactory(blanks=[{"accepted": ["x"]}] * 51), "fillblank_blanks_1_to_50"),
    ("no text", lambda: FillBlankProblemFactory(text=""), "fillblank_text_present"),
    ("a mark below 0", lambda: PracticeAnswerFactory(score=Decimal("-0.01")), "practiceanswer_score_0_to_100"),
    ("a mark above 100", lambda: PracticeAnswerFactory(score=Decimal("100.01")), "practiceanswer_score_0_to_100"),
]


@pytest.mark.django_db
class TestConstraints:
    @pytest.mark.parametrize(
        ("violate", "name"), [case[1:] for case in VIOLATIONS], ids=[case[0] for case in VIOLATIONS]
    )
    def test_the_database_refuses(self, violate: Callable[[], Any], name: str) -> None:
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            violate()

    def test_every_constraint_is_broken_once(self) -> None:
        models = (ChoiceProblem, FillBlankProblem, PracticeAnswer)
        assert {each.name for model in models for each in model._meta.constraints} == {case[2] for case in VIOLATIONS}

    def test_control_the_edges_are_taken(self) -> None:
        ChoiceProblemFactory(options=texts(2), answers="AB")
        ChoiceProblemFactory(options=texts(26), answers="ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        ChoiceProblemFactory(answers="D", is_multiple=False)
        FillBlankProblemFactory(text="{{1}}", blanks=[{"accepted": ["x"]}])
        FillBlankProblemFactory(blanks=[{"accepted": ["x"]}] * 50)
        for score in (Decimal(0), Decimal(100)):
            PracticeAnswerFactory(score=score)

    def test_a_problem_has_one_part_of_a_kind(self) -> None:
        choice = ChoiceProblemFactory()
        with pytest.raises(IntegrityError), transaction.atomic():
            ChoiceProblemFactory(problem=choice.problem)

    def test_a_user_has_one_quota(self) -> None:
        quota = CheckQuota.objects.create(user=UserFactory(), window_started_at="2026-11-20T10:00:00Z")
        assert str(quota).startswith("0 checks")
        with pytest.raises(IntegrityError), transaction.atomic():
            CheckQuota.objects.create(user=quota.user, window_started_at="2026-11-20T10:00:00Z")

    def test_a_mark_is_not_deleted_with_its_problem_or_user(self) -> None:
        answer = PracticeAnswerFactory()
        for row in (answer.problem, answer.user):
            with pytest.raises(ProtectedError):
                row.delete()
        assert PracticeAnswer.objects.filter(pk=answer.pk).exists()

    def test_names(self) -> None:
        rows = (ChoiceProblemFactory(), FillBlankProblemFactory(), PracticeAnswerFactory())
        assert all(str(row) for row in rows)
