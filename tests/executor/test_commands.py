"""`manage.py judge` and `judge_corpus`, on the real sandbox."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from executor.models import Submission
from tests.courses.factories import AlgorithmProblemFactory
from tests.executor.judging.test_corpus_rows import ROW, corpus


def run(*arguments: str) -> tuple[list[str], int]:
    """The lines a command printed, and its exit status."""
    out, status = StringIO(), 0
    try:
        call_command(*arguments, stdout=out, stderr=StringIO())
    except SystemExit as ended:
        status = int(ended.code or 0)
    return out.getvalue().splitlines(), status


class TestJudgeCorpus:
    def test_agreement_ends_with_a_summary_and_0(self, tmp_path: Path) -> None:
        wrong = {**ROW, "id": "two", "program": "print(2)", "accept_verdicts": ["WA"]}
        by_reference = {**ROW, "id": "three", "program": None}
        lines, status = run("judge_corpus", str(corpus(tmp_path, ROW, wrong, by_reference)))
        summary = json.loads(lines[-1])
        assert status == 0
        assert (summary["total"], summary["agreed"], summary["disagreed"], summary["skipped"]) == (2, 2, 0, 1)
        assert summary["ratio_to_bare"] > 0
        assert any("wall time" in line and "ratio" in line for line in lines)

    def test_disagreement_is_named_and_ends_with_1(self, tmp_path: Path) -> None:
        row = {**ROW, "accept_verdicts": ["RE", "CE"]}
        lines, status = run("judge_corpus", "--no-bare", str(corpus(tmp_path, row)))
        assert status == 1
        assert json.loads(lines[-1])["disagreed"] == 1
        assert "one  expected runtime_error/compilation_error  given accepted  DISAGREES" in lines

    def test_a_compiled_program_is_run_bare_too(self, tmp_path: Path) -> None:
        program = '#include <stdio.h>\nint main(void) { puts("1"); return 0; }\n'
        lines, status = run("judge_corpus", str(corpus(tmp_path, {**ROW, "language": "c", "program": program})))
        assert status == 0
        assert json.loads(lines[-1])["ratio_to_bare"] > 0

    def test_malicious_programs_are_not_run_bare(self, tmp_path: Path) -> None:
        rows = [ROW, {**ROW, "id": "two", "malicious": "fork_bomb"}]
        lines, status = run("judge_corpus", str(corpus(tmp_path, *rows)))
        summary = json.loads(lines[-1])
        assert (status, summary["agreed"]) == (0, 2)
        assert "bare_wall_s" not in summary

    def test_a_folder_gives_the_programs_and_the_missing_are_named(self, tmp_path: Path) -> None:
        (tmp_path / "a__one.py").write_text("print(1)")
        rows: list[dict[str, Any]] = [{**ROW, "id": key, "program": None} for key in ("a/one", "b/two")]
        path = str(corpus(tmp_path, *rows))
        lines, status = run("judge_corpus", path, "--programs", str(tmp_path))
        summary = json.loads(lines[-1])
        assert status == 1
        assert (summary["total"], summary["agreed"], summary["disagreed"], summary["skipped"]) == (2, 1, 1, 0)
        assert "a/one  expected accepted  given accepted  ok" in lines
        missing = f"there is no program {tmp_path / 'b__two.py'}"
        assert f"b/two  expected accepted  given {missing}  DISAGREES" in lines
        (tmp_path / "b__two.py").write_text("print(1)")
        assert run("judge_corpus", path, "--programs", str(tmp_path), "--no-bare")[1] == 0

    def test_every_kind_of_row(self, tmp_path: Path) -> None:
        rows: list[dict[str, Any]] = [
            {
                **ROW,
                "kind": "function",
                "entry_point": "f",
                "checker": "py_eq",
                "program": "def f(a):\n    return (a, a)",
                "value_encoding": "python-literal",
                "tests": [{"args": "[1]", "expected": "(1, 1)"}],
            },
            {
                **ROW,
                "kind": "script",
                "program": "def f(a):\n    return 2 * a",
                "tests": [{"code_after": "print(f(int(input())))", "stdin": "4", "expected": "8"}],
            },
            {**ROW, "kind": "checker", "program": None, "tests": [{"output": "1", "expected": "1"}]},
        ]
        lines, status = run("judge_corpus", "--no-bare", str(corpus(tmp_path, *rows)))
        assert (status, json.loads(lines[-1])["agreed"]) == (0, 3)

    @pytest.mark.parametrize("text", ["not json\n", '{"id": "x"}\n'])
    def test_what_is_no_corpus_is_said_in_a_sentence(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "bad.jsonl"
        path.write_text(text)
        with pytest.raises(CommandError, match="line 1"):
            run("judge_corpus", str(path))
        with pytest.raises(CommandError):
            run("judge_corpus", str(tmp_path / "missing.jsonl"))

    def test_judge0_without_an_address_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="JUDGE0_URL"):
            run("judge_corpus", "--engine", "judge0", str(corpus(tmp_path, ROW)))


@pytest.mark.django_db
class TestJudge:
    def test_a_file_is_judged_and_nothing_kept(self, tmp_path: Path) -> None:
        problem = AlgorithmProblemFactory().problem
        path = tmp_path / "anything.py"
        path.write_text("print(int(input()) * 2)")
        lines, status = run("judge", str(path), "--problem", problem.slug)
        assert status == 0
        assert lines[-1].startswith("accepted, score 100")
        assert Submission.objects.count() == 0

    def test_a_wrong_program_ends_with_1_and_says_where(self, tmp_path: Path) -> None:
        problem = AlgorithmProblemFactory().problem
        path = tmp_path / "x.py"
        path.write_text("print(4)")
        lines, status = run("judge", str(path), "--problem", problem.slug)
        assert status == 1
        assert "wrong_answer" in lines[1]
        assert "expected '42'" in lines[1]

    def test_several_files(self, tmp_path: Path) -> None:
        problem = AlgorithmProblemFactory().problem
        (tmp_path / "main.py").write_text("import lib\nprint(lib.f(int(input())))")
        (tmp_path / "lib.py").write_text("def f(n): return 2 * n")
        files = [str(tmp_path / name) for name in ("main.py", "lib.py")]
        assert run("judge", *files, "--problem", problem.slug)[1] == 0

    @pytest.mark.parametrize(
        ("name", "text", "slug", "message"),
        [
            ("x.py", "print(1)", "no-such-problem", "no algorithm problem"),
            ("x.cob", "print(1)", None, "--language"),
            ("x.py", "", None, "no code"),
        ],
    )
    def test_mistakes_are_said_in_a_sentence(
        self, tmp_path: Path, name: str, text: str, slug: str | None, message: str
    ) -> None:
        problem = AlgorithmProblemFactory().problem
        path = tmp_path / name
        path.write_text(text)
        with pytest.raises(CommandError, match=message):
            run("judge", str(path), "--problem", slug or problem.slug)
