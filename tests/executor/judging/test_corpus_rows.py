"""Reading corpora: notations of checkers, kinds of rows, and what is wrong with a file."""

import json
from pathlib import Path
from typing import Any

import pytest

from executor.corpus.rows import CorpusError, checker_spec, program_name, read_corpus
from executor.judging.checkers import option_fault
from executor.judging.languages import LANGUAGES
from executor.judging.verdicts import Verdict

ROW: dict[str, Any] = {
    "id": "one",
    "kind": "stdio",
    "language": "python",
    "program": "print(1)",
    "tests": [{"stdin": "", "expected": "1\n"}],
    "checker": "tokens",
    "accept_verdicts": ["AC"],
    "time_limit_s": 1.5,
    "memory_limit_mb": 64,
}


def corpus(tmp_path: Path, *rows: dict[str, Any]) -> Path:
    path = tmp_path / "corpus.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


class TestReadCorpus:
    def test_stdio(self, tmp_path: Path) -> None:
        (case,) = read_corpus(corpus(tmp_path, ROW))
        (plan,) = case.plans
        assert case.accepted_verdicts == (Verdict.ACCEPTED,)
        assert (plan.time_limit_ms, plan.memory_limit_mb, plan.entry_point) == (1500, 64, "")
        assert plan.stops_at_first_failure

    def test_function_values_travel_as_their_encoding(self, tmp_path: Path) -> None:
        row = {**ROW, "kind": "function", "entry_point": "f", "checker": "py_eq"}
        plain = {**row, "tests": [{"args": [1, "a"], "expected": [2]}]}
        literal = {**row, "value_encoding": "python-literal", "tests": [{"args": "[(1,)]", "expected": "(2,)"}]}
        first, second = read_corpus(corpus(tmp_path, plain, literal))
        assert (first.plans[0].tests[0].input, first.plans[0].tests[0].expected) == ('[1, "a"]', "[2]")
        assert (second.plans[0].tests[0].input, second.plans[0].tests[0].expected) == ("[(1,)]", "(2,)")
        assert second.plans[0].value_encoding == "python-literal"

    def test_a_script_is_a_program_a_test(self, tmp_path: Path) -> None:
        tests = [{"code_after": f"print({n})", "stdin": "", "expected": f"{n}"} for n in (1, 2)]
        (case,) = read_corpus(corpus(tmp_path, {**ROW, "kind": "script", "tests": tests}))
        assert [plan.postlude for plan in case.plans] == ["print(1)", "print(2)"]

    def test_a_public_java_class_names_its_file(self, tmp_path: Path) -> None:
        row = {**ROW, "language": "java", "program": "import x;\npublic final class Reader { }"}
        assert read_corpus(corpus(tmp_path, row))[0].plans[0].files[0].name == "Reader.java"

    def test_checker_rows_have_no_program(self, tmp_path: Path) -> None:
        row = {**ROW, "kind": "checker", "program": None, "tests": [{"output": "1", "expected": "1"}]}
        assert read_corpus(corpus(tmp_path, row))[0].outputs[0].output == b"1"

    def test_rows_by_reference_are_skipped_by_name(self, tmp_path: Path) -> None:
        assert read_corpus(corpus(tmp_path, {**ROW, "program": None}))[0].skipped
        assert read_corpus(corpus(tmp_path, {**ROW, "language": "cobol"}))[0].skipped

    def test_a_folder_gives_the_programs_of_rows_by_reference(self, tmp_path: Path) -> None:
        programs = tmp_path / "programs"
        programs.mkdir()
        (programs / "a__one.py").write_text("print('ö')", encoding="utf-8")
        (programs / "two.java").write_text("public class Reader { }")
        (programs / "own.py").write_text("print(2)")
        rows: list[dict[str, Any]] = [
            {**ROW, "id": "a/one", "program": None},
            {**ROW, "id": "two", "program": None, "language": "java"},
            {**ROW, "id": "own"},
            {**ROW, "id": "b/three", "program": None},
        ]
        one, two, own, three = read_corpus(corpus(tmp_path, *rows), programs=programs)
        assert one.plans[0].files[0].content == "print('ö')"
        assert two.plans[0].files[0].name == "Reader.java"
        assert own.plans[0].files[0].content == ROW["program"]
        assert (three.plans, three.skipped) == ((), "")
        assert three.missing == f"there is no program {programs / 'b__three.py'}"

    def test_a_program_that_is_no_text_is_named_by_its_line(self, tmp_path: Path) -> None:
        (tmp_path / "one.py").write_bytes(b"\xff")
        with pytest.raises(CorpusError, match="line 1"):
            read_corpus(corpus(tmp_path, {**ROW, "program": None}), programs=tmp_path)

    @pytest.mark.parametrize(
        "broken",
        [{"id": "x"}, {**ROW, "kind": "poem"}, {**ROW, "checker": "magic"}, {**ROW, "accept_verdicts": ["OK"]}],
    )
    def test_a_bad_row_is_named_by_its_line(self, tmp_path: Path, broken: dict[str, Any]) -> None:
        with pytest.raises(CorpusError, match="line 2"):
            read_corpus(corpus(tmp_path, ROW, broken))


@pytest.mark.parametrize(
    ("row_id", "language", "name"),
    [
        ("a/b", "c", "a__b.c"),
        ("a/b.c", "c", "a__b.c"),
        ("a/b.cc", "cpp", "a__b.cc"),
        ("a/b.c++", "cpp", "a__b.c++.cpp"),
        ("a/b.py", "java", "a__b.py.java"),
        ("../b", "python", "..__b.py"),
    ],
)
def test_a_program_is_named_for_its_row(row_id: str, language: str, name: str) -> None:
    assert program_name(row_id, LANGUAGES[language]) == name


class TestCheckerSpec:
    @pytest.mark.parametrize(
        ("text", "name", "options"),
        [
            ("tokens", "tokens", {}),
            ("tokens,case_sensitive", "tokens", {"case_sensitive": True}),
            ("tokens,space_change_sensitive", "tokens", {"case_sensitive": False, "space_sensitive": True}),
            ("tokens,float_tolerance:0.5", "tokens", {"case_sensitive": False, "absolute": 0.5, "relative": 0.5}),
            ("tokens,float_relative_tolerance:0.1", "tokens", {"case_sensitive": False, "relative": 0.1}),
            ("float:1e-2", "float", {"absolute": 0.01, "relative": 0.01}),
            ("easy", "unordered", {"unit": "letters"}),
            ("py_eq", "json", {}),
        ],
    )
    def test_notations(self, text: str, name: str, options: dict[str, Any]) -> None:
        spec = checker_spec(text)
        assert (spec.name, dict(spec.options)) == (name, options)
        assert option_fault(spec) is None

    @pytest.mark.parametrize("text", ["magic", "tokens,fast", "lines,case_sensitive", "unittest"])
    def test_unknown_notations_are_refused(self, text: str) -> None:
        with pytest.raises(CorpusError):
            checker_spec(text)
