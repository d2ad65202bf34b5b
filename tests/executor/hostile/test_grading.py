"""Catalogue G: attacks on the mark, through CodeExecutorService on the real sandbox. None scores more than honesty.

`tests/executor/tricks` holds most of them; here is what they lack: more languages, and searches for planted words.
README.md says where each row is proven.
"""

from dataclasses import replace
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from executor.engines.base import SourceFile
from executor.judging import plan as planning
from executor.judging.verdicts import Verdict
from executor.models import Judgement, Submission
from executor.services.code_executor import CodeExecutorService
from executor.services.engines import engine_named
from tests.executor.factories import SubmissionFactory
from tests.executor.hostile.graded import (
    ATTACKS,
    DRIVEN,
    PROBLEM_OF,
    SOUGHT,
    SOUGHT_FUNCTION,
    attack_named,
    escapes_of,
    judged,
    plan_for_attack,
)
from tests.executor.hostile.header import Attack, load
from tests.executor.hostile.planted import words_in
from tests.executor.tricks.problems import FUNCTION, TrickProblem, plan_of

GRADED = load(ATTACKS, letter="G")
# Attacks that search, and how an answer gets into their box once law 1 is broken.
SEARCHES = {
    "g06_search.py": "prelude",
    "g06_search.js": "prelude",
    "g06_memory.c": "prelude",
    "g09_tools.js": "file",
    "g18_macros.c": "file",
    "l01_walk.py": "file",
    "l01_walk.c": "file",
    "l01_walk.js": "file",
    "l01_walk.java": "file",
}
PRELUDES = {
    "python": "ANSWERS = {words!r}\n",
    "javascript": "var ANSWERS = {words!r};\n",
    "c": 'const char answers[] = "{words}";\n',
}


@pytest.fixture(scope="module")
def service() -> CodeExecutorService:
    return CodeExecutorService(engine_named("sandbox"))


class GradingTestCase:
    @pytest.mark.parametrize("attack", [pytest.param(attack, id=attack.name) for attack in GRADED])
    def test_an_attack_gains_nothing(self, service: CodeExecutorService, attack: Attack) -> None:
        outcome = judged(service, attack)
        assert escapes_of(outcome) == []
        assert outcome.score is not None
        assert outcome.score <= PROBLEM_OF[attack.name].honest_score, outcome
        assert {outcome.verdict, *(test.verdict for test in outcome.tests)} <= {*attack.verdicts, Verdict.SKIPPED}

    @pytest.mark.parametrize(
        ("problem", "language"),
        [
            pytest.param(problem, language, id=f"{problem.name}, {language}")
            for problem in (DRIVEN, SOUGHT, SOUGHT_FUNCTION)
            for language in problem.honest
        ],
    )
    def test_an_honest_program_without_the_answer_is_judged(
        self, service: CodeExecutorService, problem: TrickProblem, language: str
    ) -> None:
        outcome = service.run_all_test_cases(plan_of(problem, language, problem.honest[language]))
        assert (outcome.verdict, outcome.score) == (Verdict.WRONG_ANSWER, problem.honest_score)


class SearchControlTestCase:
    """Law 1 broken on purpose: with the expected outputs in the box, each search finds them and is paid for it."""

    @pytest.mark.parametrize("name", SEARCHES)
    def test_answers_in_the_box_are_found(self, service: CodeExecutorService, name: str) -> None:
        attack = attack_named(name)
        plan = plan_for_attack(attack, PROBLEM_OF[name])
        # The second test's answer alone: the first must not be found before it.
        (answer,) = words_in(str(PROBLEM_OF[name].tests[1][1]))
        if SEARCHES[name] == "prelude":
            plan = replace(plan, prelude=PRELUDES[attack.language].format(words=answer))
        else:
            plan = replace(plan, files=(*plan.files, SourceFile(name="answers.txt", content=answer)))
        outcome = service.run_all_test_cases(plan)
        assert any(answer in line for line in escapes_of(outcome))
        assert [test.verdict for test in outcome.tests] == [Verdict.WRONG_ANSWER, Verdict.ACCEPTED]


class NonceControlTestCase:
    @pytest.mark.parametrize("name", ["g02_blind_frame.py", "g02_blind_frame.js"])
    def test_with_a_nonce_to_be_guessed_what_is_printed_becomes_the_answer(
        self, service: CodeExecutorService, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        attack, known = attack_named(name), replace(FUNCTION, tests=[("[1]", "42"), ("[2]", "42")])
        plan = plan_for_attack(attack, known)
        assert service.run_all_test_cases(plan).score == 0
        monkeypatch.setattr(planning, "new_nonce", lambda: "0" * 32)
        assert service.run_all_test_cases(plan).score == 100


@pytest.mark.django_db
class NoOtherDoorTestCase:
    """G-11 and G-17: no address takes a result, and nothing that was handed in is taken back."""

    FORGED = {"status": "accepted", "status_id": 3, "verdict": "accepted", "score": "100.00", "token": "x"}

    @pytest.mark.parametrize("method", ["put", "patch", "delete", "post"])
    def test_a_result_from_outside_changes_nothing(self, method: str, api_as: Any) -> None:
        submission = SubmissionFactory()
        before = self.rows()
        addresses = [
            f"/api/v1/submissions/{submission.pk}/",
            f"/api/v1/submissions/{submission.pk}/callback/",
            f"/api/v1/judgements/{submission.current_judgement_id}/",
            "/api/v1/callback/",
            "/judge0/callback/",
        ]
        for client in (APIClient(), api_as(submission.user)):
            answers = [getattr(client, method)(address, self.FORGED, format="json") for address in addresses]
            assert {answer.status_code for answer in answers} <= {401, 404, 405}
        assert self.rows() == before

    def test_a_score_cannot_be_handed_in(self, api_as: Any) -> None:
        submission = SubmissionFactory()
        user: User = submission.user
        body = {"problem": submission.problem_id, "language": "python", "code": "print(1)"}
        before = self.rows()
        for key in ("score", "status", "verdict", "feedback", "purpose", "user", "current_judgement", "token"):
            answer = api_as(user).post("/api/v1/submissions/", {**body, key: self.FORGED.get(key, 1)})
            assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, f"#/{key}")
        assert self.rows() == before

    @staticmethod
    def rows() -> list[dict[str, Any]]:
        return [
            dict(row) for model in (Submission, Judgement) for row in model._default_manager.order_by("pk").values()
        ]
