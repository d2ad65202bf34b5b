"""Having answers to choices and blanks checked, over HTTP: what they earn, what is recorded, what is refused."""

from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from freezegun import freeze_time
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings
from rest_framework.test import APIClient

from courses import services
from courses.errors import ProblemInUse
from courses.models import (
    CheckQuota,
    ChoiceProblem,
    Course,
    FillBlankProblem,
    PracticeAnswer,
    Problem,
    ProblemProgress,
    UnlockRequirement,
)
from courses.rules.choice import ChoiceKey, Scoring, grade_choice
from courses.rules.fillblank import Blank, grade_blanks
from courses.services import answer as answer_module
from tests.courses.conftest import World
from tests.courses.factories import (
    ChoiceProblemFactory,
    EnrollmentFactory,
    FillBlankProblemFactory,
    PracticeAnswerFactory,
    ProblemFactory,
)
from tests.courses.refusals import ApiAs, faults, refusal

V1 = "/api/v1"


@pytest.fixture
def choice(world: World) -> Problem:
    row: ChoiceProblem = ChoiceProblemFactory(problem__course=world.course)
    return row.problem


@pytest.fixture
def fillblank(world: World) -> Problem:
    row: FillBlankProblem = FillBlankProblemFactory(problem__course=world.course)
    return row.problem


@pytest.fixture
def api(world: World, api_as: ApiAs) -> APIClient:
    return api_as(world.student)


def check(api: APIClient, problem: Problem, **answer: Any) -> Any:
    return api.post(f"{V1}/problems/{problem.pk}/check/", {"answer": answer})


class TestChoice:
    @pytest.mark.parametrize(
        ("chosen", "score", "percentage"),
        [
            (["A", "C"], "100.00", 100),
            (["C", "A"], "100.00", 100),
            (["A"], "50.00", 50),
            (["A", "B", "C"], "50.00", 50),
            (["A", "B"], "0.00", 0),
            ([], "0.00", 0),
        ],
    )
    def test_right_minus_wrong(
        self, api: APIClient, choice: Problem, chosen: list[str], score: str, percentage: int
    ) -> None:
        with freeze_time("2026-11-20T10:00:00Z"):
            response = check(api, choice, chosen=chosen)
        assert response.status_code == 200
        row = PracticeAnswer.objects.get()
        # Nothing else is told: not which letters were right.
        assert response.json() == {
            "id": row.pk,
            "score": score,
            "percentage": percentage,
            "is_correct": percentage == 100,
            "blanks": None,
            "received_at": "2026-11-20T10:00:00Z",
        }
        assert (row.answer, row.score, row.is_correct) == ({"chosen": chosen}, Decimal(score), percentage == 100)

    def test_percent_are_rounded_down(self, world: World, api: APIClient) -> None:
        row = ChoiceProblemFactory(problem__course=world.course, answers="ABC")
        shown = check(api, row.problem, chosen=["A", "B"]).json()
        assert (shown["score"], shown["percentage"], shown["is_correct"]) == ("66.66", 66, False)

    @pytest.mark.parametrize(
        ("answer", "fault"),
        [
            ({"chosen": ["E"]}, ("chosen/0", "unknown_option")),
            ({"chosen": ["A", "A"]}, ("chosen/1", "duplicate")),
            ({"chosen": ["A", "B", "C", "D", "A"]}, ("chosen", "max_length")),
            ({"chosen": ["A"] * 27}, ("chosen", "max_length")),
            ({"chosen": ["A" * 11]}, ("chosen/0", "max_length")),
            ({"chosen": "A"}, ("chosen", "not_a_list")),
            ({"chosen": None}, ("chosen", "null")),
            ({"chosen": [{}]}, ("chosen/0", "invalid")),
            ({}, ("chosen", "required")),
            ({"blanks": ["A"]}, ("blanks", "other_type")),
            ({"chosen": ["A"], "blanks": []}, ("blanks", "other_type")),
            ({"chosen": ["A"], "score": 100}, ("score", "unknown_field")),
        ],
    )
    def test_each_fault_is_named_and_nothing_kept(
        self, api: APIClient, choice: Problem, answer: dict[str, Any], fault: tuple[str, str]
    ) -> None:
        assert faults(check(api, choice, **answer)) == [(f"#/answer/{fault[0]}", fault[1])]
        assert not PracticeAnswer.objects.exists()
        assert not ProblemProgress.objects.exists()
        assert not CheckQuota.objects.exists()

    def test_the_body_holds_an_answer_alone(self, api: APIClient, choice: Problem) -> None:
        address = f"{V1}/problems/{choice.pk}/check/"
        assert faults(api.post(address, {})) == [("#/answer", "required")]
        assert faults(api.post(address, {"answer": {"chosen": ["A"]}, "user": 1})) == [("#/user", "unknown_field")]


class TestBlanks:
    @pytest.mark.parametrize(
        ("blanks", "scores", "percentage"),
        [
            (["lifo", "FIFO"], ["1.000", "3.000"], 100),
            ([" last in first out ", ""], ["1.000", "0.000"], 25),
            (["", "FIFO"], ["0.000", "3.000"], 75),
            (["", "fifo"], ["0.000", "0.000"], 0),
        ],
    )
    def test_each_blank_counts_its_score(
        self, api: APIClient, fillblank: Problem, blanks: list[str], scores: list[str], percentage: int
    ) -> None:
        shown = check(api, fillblank, blanks=blanks).json()
        assert (shown["percentage"], shown["is_correct"]) == (percentage, percentage == 100)
        assert shown["score"] == f"{percentage}.00"
        assert shown["blanks"] == [
            {"is_correct": score != "0.000", "score": score, "score_max": most}
            for score, most in zip(scores, ["1.000", "3.000"], strict=True)
        ]
        assert PracticeAnswer.objects.get().answer == {"blanks": blanks}

    @pytest.mark.parametrize(
        ("answer", "fault"),
        [
            ({"blanks": ["LIFO"]}, ("blanks", "answer_count")),
            ({"blanks": ["x"] * 3}, ("blanks", "answer_count")),
            ({"blanks": ["x"] * 51}, ("blanks", "max_length")),
            ({"blanks": ["x", "y" * 1001]}, ("blanks/1", "max_length")),
            ({"blanks": ["x", "y\0"]}, ("blanks/1", "null_characters_not_allowed")),
            ({"blanks": ["x", None]}, ("blanks/1", "null")),
            ({"chosen": ["A"]}, ("chosen", "other_type")),
            ({}, ("blanks", "required")),
        ],
    )
    def test_each_fault_is_named_and_nothing_kept(
        self, api: APIClient, fillblank: Problem, answer: dict[str, Any], fault: tuple[str, str]
    ) -> None:
        assert faults(check(api, fillblank, **answer)) == [(f"#/answer/{fault[0]}", fault[1])]
        assert not PracticeAnswer.objects.exists()


class TestMarksAreTheRules:
    """A student's mark is what the rule says of what they answered, whatever key and answer are."""

    quickly = hypothesis_settings(
        max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )

    @quickly
    @given(
        answers=st.sets(st.sampled_from("ABCD"), min_size=1),
        chosen=st.lists(st.sampled_from("ABCD"), unique=True),
        scoring=st.sampled_from(Scoring),
    )
    def test_choice(
        self,
        api: APIClient,
        choice: Problem,
        settings: Settings,
        answers: set[str],
        chosen: list[str],
        scoring: Scoring,
    ) -> None:
        settings.COURSES_CHECKS_PER_WINDOW = 10**6
        ChoiceProblem.objects.filter(problem=choice).update(answers="".join(sorted(answers)), scoring=scoring)
        key = ChoiceKey(option_count=4, answers=frozenset(answers), is_multiple=True, scoring=scoring)
        mark = grade_choice(key, chosen)
        shown = check(api, choice, chosen=chosen).json()
        assert (Decimal(shown["score"]), shown["is_correct"]) == (100 * mark.fraction, mark.is_correct)

    @quickly
    @given(answers=st.tuples(*[st.sampled_from(["LIFO", "lifo", "FIFO", "fifo", "", " FIFO", "ﬁfo"])] * 2))
    def test_blanks(self, api: APIClient, fillblank: Problem, settings: Settings, answers: tuple[str, str]) -> None:
        settings.COURSES_CHECKS_PER_WINDOW = 10**6
        blanks = (
            Blank(accepted=("LIFO", "last in first out"), ignores_case=True),
            Blank(accepted=("FIFO",), score=Decimal(3)),
        )
        mark = grade_blanks(blanks, answers)
        shown = check(api, fillblank, blanks=list(answers)).json()
        assert (Decimal(shown["score"]), shown["is_correct"]) == (100 * mark.fraction, mark.is_correct)
        assert [blank["is_correct"] for blank in shown["blanks"]] == [each.is_correct for each in mark.blanks]


class TestProgress:
    def test_an_answer_counts_at_its_receipt(self, world: World, api: APIClient, choice: Problem) -> None:
        with freeze_time("2026-11-20T10:00:00Z"):
            check(api, choice, chosen=["A"])
        with freeze_time("2026-11-20T11:00:00Z"):
            check(api, choice, chosen=["A", "C"])
        progress = ProblemProgress.objects.get(enrollment__user=world.student, problem=choice)
        assert (progress.status, progress.attempts, progress.best_score) == ("solved", 2, 100)
        assert progress.solved_at is not None
        assert progress.solved_at.isoformat() == "2026-11-20T11:00:00+00:00"
        assert progress.first_at == PracticeAnswer.objects.earliest("pk").received_at

    def test_a_partial_mark_is_kept_as_the_best(self, api: APIClient, fillblank: Problem) -> None:
        for blanks in (["", "FIFO"], ["LIFO", ""]):
            check(api, fillblank, blanks=blanks)
        progress = ProblemProgress.objects.get()
        assert (progress.status, progress.attempts, progress.best_score) == ("in_progress", 2, 75)

    def test_who_has_no_place_in_the_course_gets_a_mark_and_no_progress(
        self, world: World, api_as: ApiAs, choice: Problem
    ) -> None:
        assert check(api_as(world.owner), choice, chosen=["A", "C"]).json()["is_correct"] is True
        assert PracticeAnswer.objects.get().user == world.owner
        assert not ProblemProgress.objects.exists()

    def test_without_progress_there_is_no_answer_and_no_count(
        self, world: World, choice: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(**kwargs: object) -> None:
            raise RuntimeError("no progress")

        monkeypatch.setattr(answer_module, "progress_record", fail)
        with pytest.raises(RuntimeError, match="no progress"):
            services.answer_check(user=world.student, problem_id=choice.pk, received_at=timezone.now(), chosen=["A"])
        assert not PracticeAnswer.objects.exists()
        assert not CheckQuota.objects.exists()

    def test_a_new_key_leaves_old_marks(self, world: World, api: APIClient, choice: Problem) -> None:
        check(api, choice, chosen=["A", "C"])
        services.problem_update(actor=world.owner, problem_id=choice.pk, choice={"answers": ["B"]})
        assert check(api, choice, chosen=["A", "C"]).json()["is_correct"] is False
        assert [row.is_correct for row in PracticeAnswer.objects.order_by("pk")] == [True, False]


class TestRefusals:
    def test_a_program_is_not_checked(self, world: World, api: APIClient) -> None:
        assert refusal(check(api, world.problem, chosen=["A"])) == (409, "not_checkable")
        bare = ProblemFactory(course=world.course, type="choice")
        assert refusal(check(api, bare, chosen=["A"])) == (409, "not_checkable")

    def test_archived(self, world: World, api_as: ApiAs, choice: Problem, fillblank: Problem) -> None:
        services.problem_archive(actor=world.owner, problem_id=choice.pk)
        assert refusal(check(api_as(world.student), choice, chosen=["A"])) == (404, "not_found")
        assert refusal(check(api_as(world.assistant), choice, chosen=["A"])) == (409, "problem_archived")
        Course.objects.filter(pk=world.course.pk).update(status="archived")
        assert refusal(check(api_as(world.assistant), fillblank, blanks=["", ""])) == (409, "problem_archived")

    @pytest.mark.parametrize("hidden", [{"status": "draft"}, {"audience": "exam_only"}])
    def test_what_students_do_not_see(
        self, world: World, api_as: ApiAs, choice: Problem, hidden: dict[str, str]
    ) -> None:
        Problem.objects.filter(pk=choice.pk).update(**hidden)
        assert refusal(check(api_as(world.student), choice, chosen=["A"])) == (404, "not_found")
        assert check(api_as(world.assistant), choice, chosen=["A"]).status_code == 200

    def test_locked(self, world: World, api_as: ApiAs, choice: Problem) -> None:
        UnlockRequirement.objects.create(course=world.course, problem=choice, required_problem=world.problem)
        # An answer that does not fit tells nothing of what is locked either.
        for chosen in (["A"], ["Z"]):
            response = check(api_as(world.student), choice, chosen=chosen)
            assert refusal(response) == (403, "problem_locked")
            assert response.json()["lock"]["reasons"][0]["missing"][0]["id"] == world.problem.pk
        assert not PracticeAnswer.objects.exists()
        assert check(api_as(world.instructor), choice, chosen=["A"]).status_code == 200

    def test_control_unguarded_it_would_be_open(
        self, world: World, api: APIClient, choice: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        UnlockRequirement.objects.create(course=world.course, problem=choice, required_problem=world.problem)
        monkeypatch.setattr(answer_module, "problem_require_open", lambda **kwargs: None)
        assert check(api, choice, chosen=["A"]).status_code == 200

    def test_who_left_is_a_stranger(self, world: World, api: APIClient, choice: Problem) -> None:
        world.course.enrollments.filter(user=world.student).update(left_at=timezone.now())
        assert refusal(check(api, choice, chosen=["A"])) == (404, "not_found")

    def test_a_problem_with_answers_stays(self, world: World, api: APIClient, choice: Problem) -> None:
        check(api, choice, chosen=["A"])
        with pytest.raises(ProblemInUse):
            services.problem_delete(actor=world.owner, problem_id=choice.pk)
        assert ChoiceProblem.objects.filter(problem=choice).exists()

    def test_without_answers_it_is_deleted_with_its_part(self, world: World, choice: Problem) -> None:
        services.problem_delete(actor=world.owner, problem_id=choice.pk)
        assert not ChoiceProblem.objects.exists()


class TestList:
    def test_one_sees_ones_own_and_staff_see_all(self, world: World, api_as: ApiAs, choice: Problem) -> None:
        peer = EnrollmentFactory(course=world.course).user
        other = ChoiceProblemFactory(problem__course=world.course).problem
        own, theirs = (PracticeAnswerFactory(problem=choice, user=user) for user in (world.student, peer))
        PracticeAnswerFactory(problem=other, user=world.student)
        right = PracticeAnswerFactory(problem=choice, user=world.student, is_correct=True, score=100)

        def listed(user: Any, query: str = "") -> list[int]:
            response = api_as(user).get(f"{V1}/problems/{choice.pk}/answers/{query}")
            return [row["id"] for row in response.json()["results"]]

        assert listed(world.student) == [right.pk, own.pk]
        assert listed(peer) == [theirs.pk]
        assert listed(world.assistant) == [right.pk, theirs.pk, own.pk]
        assert listed(world.assistant, f"?user={peer.pk}") == [theirs.pk]
        assert listed(world.student, f"?user={peer.pk}") == []
        assert listed(world.student, "?is_correct=true") == [right.pk]
        response = api_as(world.student).get(f"{V1}/problems/{choice.pk}/answers/?score=1")
        assert faults(response) == [("#/score", "unknown_filter")]

    def test_a_row(self, world: World, api: APIClient, choice: Problem) -> None:
        with freeze_time("2026-11-20T10:00:00Z"):
            row = check(api, choice, chosen=["A"]).json()
        shown = api.get(f"{V1}/problems/{choice.pk}/answers/").json()["results"]
        assert shown == [
            {
                "id": row["id"],
                "problem": choice.pk,
                "user": world.student.pk,
                "answer": {"chosen": ["A"]},
                "score": "50.00",
                "is_correct": False,
                "received_at": "2026-11-20T10:00:00Z",
            }
        ]
