"""Authors and wrapping: what is refused on save, what students never see of it, and the preview."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from accounts.models import User
from courses.models import AlgorithmProblem, Enrollment, Problem
from tests.courses.factories import AlgorithmProblemFactory, EnrollmentFactory
from tests.executor.injections import TEMPLATES

pytestmark = pytest.mark.django_db

ApiAs = Callable[[User], APIClient]
V1 = "/api/v1"


@pytest.fixture
def problem() -> Problem:
    found: Problem = AlgorithmProblemFactory().problem
    return found


@pytest.fixture
def author(api_as: ApiAs, problem: Problem) -> APIClient:
    return api_as(EnrollmentFactory(course=problem.course, role=Enrollment.Role.INSTRUCTOR).user)


def save(author: APIClient, problem: Problem, algorithm: dict[str, Any]) -> list[tuple[str, str]]:
    """The faults that saving is refused for; none where it is saved."""
    response = author.patch(f"{V1}/problems/{problem.pk}/", {"algorithm": algorithm})
    return [(error["pointer"], error["code"]) for error in response.json().get("errors", [])]


class TestSaving:
    @pytest.mark.parametrize("key", TEMPLATES)
    def test_a_sound_template_with_blocks_is_taken(self, author: APIClient, problem: Problem, key: str) -> None:
        comment = "# a" if key == "python" else "// a"
        wrapping = {"templates": {key: TEMPLATES[key]}, "preludes": {key: comment}, "postludes": {key: comment}}
        assert save(author, problem, wrapping) == []
        row = AlgorithmProblem.objects.get(problem=problem)
        assert {name: getattr(row, name) for name in wrapping} == wrapping

    @pytest.mark.parametrize(
        ("algorithm", "fault"),
        [
            ({"templates": {"python": "x = '{{{ code }}}'"}}, ("templates/python", "template_fault")),
            ({"templates": {"c": "{{{ kode }}}"}}, ("templates/c", "template_fault")),
            ({"templates": {"c": "{{{ code }}}\n{{{ entry_point }}}();"}}, ("templates/c", "template_fault")),
            ({"templates": {"python": "print(1)"}}, ("templates/python", "template_fault")),
            ({"templates": {"cobol": "{{{ code }}}"}}, ("templates/cobol", "unknown_language")),
            ({"templates": {"c": "{{{ code }}}"}, "preludes": {"c": "int x;"}}, ("templates/c", "template_fault")),
            ({"preludes": {"python": "def"}}, ("preludes/python", "prelude_fault")),
            ({"preludes": {"c": "{{{ code }}}"}}, ("preludes/c", "prelude_fault")),
            ({"postludes": {"python": '"""'}}, ("postludes/python", "postlude_fault")),
            ({"postludes": {"cobol": "x"}}, ("postludes/cobol", "unknown_language")),
            ({"entry_point": "f", "languages": ["c"], "templates": {"c": ""}}, ("languages", "template_missing")),
        ],
    )
    def test_a_fault_is_named_and_nothing_saved(
        self, author: APIClient, problem: Problem, algorithm: dict[str, Any], fault: tuple[str, str]
    ) -> None:
        before = AlgorithmProblem.objects.values().get(problem=problem)
        pointer, code = fault
        assert save(author, problem, algorithm) == [(f"#/algorithm/{pointer}", code)]
        assert AlgorithmProblem.objects.values().get(problem=problem) == before

    def test_taking_the_entry_point_away_from_its_template_is_refused(
        self, author: APIClient, problem: Problem
    ) -> None:
        template = {"python": TEMPLATES["python"] + "{{{ entry_point }}}(1)\n"}
        # Not published: its tests are those of a stdio problem.
        Problem.objects.filter(pk=problem.pk).update(status=Problem.Status.DRAFT)
        assert save(author, problem, {"entry_point": "f", "languages": ["python"], "templates": template}) == []
        assert save(author, problem, {"entry_point": ""}) == [("#/algorithm/templates/python", "template_fault")]

    def test_students_see_nothing_of_it(self, author: APIClient, api_as: ApiAs, problem: Problem) -> None:
        secret = {name: {"python": "# c4n4ry\n"} for name in ("preludes", "postludes")}
        assert save(author, problem, secret) == []
        student = api_as(EnrollmentFactory(course=problem.course).user)
        shown = student.get(f"{V1}/problems/{problem.pk}/")
        assert shown.status_code == 200
        assert b"c4n4ry" not in shown.content
        assert b"c4n4ry" in author.get(f"{V1}/problems/{problem.pk}/").content


class TestWrappedAction:
    def wrapped(self, client: APIClient, problem: Problem, **body: Any) -> Any:
        return client.post(f"{V1}/problems/{problem.pk}/wrapped/", {"language": "python", **body})

    def test_every_file_is_shown(self, author: APIClient, problem: Problem) -> None:
        save(author, problem, {"preludes": {"python": "A = 1\n"}, "postludes": {"python": "print(A)\n"}})
        response = self.wrapped(author, problem, code="CODE\n")
        assert response.status_code == 200
        body = response.json()
        assert body["is_framed"] is False
        main, own = body["files"]
        assert (main["name"], own) == ("main.py", {"name": "solution.py", "content": "CODE\n"})
        assert main["content"].startswith("A = 1\n")
        assert main["content"].rstrip().endswith("print(A)")

    def test_a_function_problem_shows_the_builtin_template(self, author: APIClient, problem: Problem) -> None:
        AlgorithmProblem.objects.filter(problem=problem).update(entry_point="f", languages=["python"])
        body = self.wrapped(author, problem, files=[{"name": "a.py", "content": "x"}, {"name": "b.py", "content": "y"}])
        assert body.json()["is_framed"] is True
        assert [file["name"] for file in body.json()["files"]] == ["main.py", "solution.py", "b.py"]

    def test_what_is_not_wrapped_comes_back_as_it_is(self, author: APIClient, problem: Problem) -> None:
        body = self.wrapped(author, problem, code="print(1)").json()
        assert body == {"files": [{"name": "main.py", "content": "print(1)"}], "is_framed": False}

    def test_the_language_need_not_be_here(
        self, author: APIClient, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("executor.services.sources.missing_for", lambda language: "gone")
        assert self.wrapped(author, problem, code="x").status_code == 200

    def test_it_is_for_staff(self, api_as: ApiAs, problem: Problem) -> None:
        student = api_as(EnrollmentFactory(course=problem.course).user)
        assert self.wrapped(student, problem, code="x").status_code == 403
        stranger = api_as(EnrollmentFactory().user)
        assert self.wrapped(stranger, problem, code="x").status_code == 404

    @pytest.mark.parametrize("change", [{"templates": {"python": "{{{ x }}}"}}, {"type": "choice"}])
    def test_409_says_why_it_cannot_be(self, author: APIClient, problem: Problem, change: dict[str, Any]) -> None:
        rows: Any = Problem.objects.filter(pk=problem.pk)
        if "templates" in change:
            rows = AlgorithmProblem.objects.filter(problem=problem)
        rows.update(**change)
        response = self.wrapped(author, problem, code="x")
        assert (response.status_code, response.json()["code"]) == (409, "problem_not_ready")

    @pytest.mark.parametrize(
        ("body", "code"),
        [({"language": "cobol", "code": "x"}, "unknown_language"), ({"code": "\0"}, "null_characters_not_allowed")],
    )
    def test_bad_input_is_named(self, author: APIClient, problem: Problem, body: dict[str, str], code: str) -> None:
        response = self.wrapped(author, problem, **body)
        assert response.status_code == 422
        assert response.json()["errors"][0]["code"] == code


class TestShowWrapped:
    def shown(self, *arguments: str) -> str:
        out = StringIO()
        call_command("show_wrapped", *arguments, stdout=out)
        return out.getvalue()

    def test_every_file_has_a_header_line(self, problem: Problem, tmp_path: Path) -> None:
        AlgorithmProblem.objects.filter(problem=problem).update(preludes={"c": "#define A 1"})
        file = tmp_path / "mine.c"
        file.write_text("int main(void) { return A; }")
        text = self.shown("--problem", problem.slug, "--language", "c", str(file))
        assert text == (
            '==> main.c <==\n#define A 1\n#include "solution.c.inc"\n\n'
            "==> solution.c.inc <==\nint main(void) { return A; }\n"
        )

    def test_without_a_file_the_starter_code_stands_in(self, problem: Problem) -> None:
        with pytest.raises(CommandError, match="no starter code"):
            self.shown("--problem", problem.slug, "--language", "python")
        AlgorithmProblem.objects.filter(problem=problem).update(starter_code={"python": "start()\n"})
        assert self.shown("--problem", problem.slug, "--language", "python") == "==> main.py <==\nstart()\n"

    def test_faults_are_told_in_a_sentence(self, problem: Problem, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="no algorithm problem"):
            self.shown("--problem", "nothing", "--language", "c")
        AlgorithmProblem.objects.filter(problem=problem).update(templates={"c": "{{{ x }}}"})
        file = tmp_path / "mine.c"
        file.write_text("x")
        with pytest.raises(CommandError, match="unknown hole"):
            self.shown("--problem", problem.slug, "--language", "c", str(file))
        with pytest.raises(CommandError, match="No such file"):
            self.shown("--problem", problem.slug, "--language", "c", str(tmp_path / "none.c"))


# A stdio problem of which students write only the function: the rest stands around it.
AROUND = {
    "python": ("K = 2\n", "def f(n):\n    return K * n\n", "print(f(int(input())))\n"),
    "javascript": (
        "const K = 2;\n",
        "const f = n => K * n;\n",
        "console.log(f(Number(require('fs').readFileSync(0, 'utf8'))));\n",
    ),
    "c": (
        "#include <stdio.h>\n#define K 2",
        "int f(int n) { return K * n; }",
        'int main(void) { int n; scanf("%d", &n); printf("%d\\n", f(n)); return 0; }',
    ),
    "cpp": (
        "#include <iostream>\nconst int K = 2;",
        "int f(int n) { return K * n; }",
        "int main() { int n; std::cin >> n; std::cout << f(n); }",
    ),
    "java": (
        "import java.util.Scanner;\nclass Given { static final int K = 2; }",
        "class Own { static int f(int n) { return Given.K * n; } }",
        "public class Main { public static void main(String[] a) {"
        " System.out.println(Own.f(new Scanner(System.in).nextInt())); } }",
    ),
}


class TestBlocks:
    @pytest.mark.parametrize("key", AROUND)
    def test_without_a_template_they_stand_around_the_code(self, author: APIClient, problem: Problem, key: str) -> None:
        prelude, code, postlude = AROUND[key]
        assert save(author, problem, {"preludes": {key: prelude}, "postludes": {key: postlude}}) == []
        answer = author.post(f"{V1}/problems/{problem.pk}/run-samples/", {"language": key, "code": code}).json()
        assert answer["verdict"] == "accepted", answer

    @pytest.mark.parametrize("key", ["python", "javascript"])
    def test_what_a_prelude_declares_a_function_problem_s_code_can_use(self, api_as: ApiAs, key: str) -> None:
        prelude, code, _ = AROUND[key]
        problem = AlgorithmProblemFactory(
            entry_point="f", checker="json", languages=[key], preludes={key: prelude}, tests=[("[4]", "8")]
        ).problem
        client = api_as(EnrollmentFactory(course=problem.course).user)
        answer = client.post(f"{V1}/problems/{problem.pk}/run-samples/", {"language": key, "code": code}).json()
        assert answer["verdict"] == "accepted", answer
