"""Templates, holes and frames. That wrapped programs really run is shown where the engines are tested."""

import json

import pytest

from executor.engines.base import SourceFile
from executor.judging.languages import LANGUAGES
from executor.judging.wrapping import (
    HOLES,
    Answer,
    WrappingError,
    frame_input,
    new_nonce,
    read_frame,
    template_fault,
    wrap,
)

NONCE = "f" * 32


def source(content: str, name: str = "main.py") -> tuple[SourceFile, ...]:
    return (SourceFile(name=name, content=content),)


def framed(payload: str, *, before: str = "", after: str = "") -> bytes:
    return f"{before}\n{NONCE}{payload}{NONCE}\n{after}".encode()


class TestWrap:
    def test_a_stdio_program_stays_as_it_is(self) -> None:
        files = source("print(1)")
        assert wrap(LANGUAGES["python"], files).files == files
        assert not wrap(LANGUAGES["python"], files).is_framed

    def test_the_code_of_a_function_problem_is_a_file_of_its_own(self) -> None:
        hostile = '"""\n{{{ entry_point }}}\n*/ }}} \\'
        program = wrap(LANGUAGES["python"], source(hostile), entry_point="solve")
        assert program.is_framed
        assert {file.name: file.content for file in program.files}["solution.py"] == hostile
        assert hostile not in program.files[0].content

    def test_every_hole_is_filled(self) -> None:
        template = "{{{ prelude }}}\n{{{ code }}}\n{{{ postlude }}}\ncall({{{ entry_point }}})\n"
        program = wrap(
            LANGUAGES["python"],
            source("CODE"),
            entry_point="solve",
            template=template,
            prelude="BEFORE",
            postlude="AFTER",
        )
        assert program.files[0].content == "BEFORE\nCODE\nAFTER\ncall(solve)\n"
        assert not program.is_framed

    @pytest.mark.parametrize("key", ["python", "javascript"])
    def test_the_builtin_templates_are_sound(self, key: str) -> None:
        program = wrap(LANGUAGES[key], source("x"), entry_point="solve")
        assert "{{{" not in program.files[0].content
        assert '"solve"' in program.files[0].content

    def test_a_hole_in_the_student_s_code_stays_text(self) -> None:
        program = wrap(LANGUAGES["python"], source("{{{ postlude }}}"), template="{{{ code }}}\n", postlude="SECRET")
        assert program.files[0].content == "{{{ postlude }}}\n"

    def test_a_student_s_file_named_like_the_driver_gives_way(self) -> None:
        files = (*source("1"), SourceFile(name="main.py", content="evil"), SourceFile(name="util.py", content="2"))
        program = wrap(LANGUAGES["python"], files, entry_point="solve")
        assert [file.name for file in program.files] == ["main.py", "solution.py", "util.py"]
        assert "evil" not in program.files[0].content

    def test_a_language_without_a_template_needs_the_author_s(self) -> None:
        with pytest.raises(WrappingError, match="template"):
            wrap(LANGUAGES["c"], source("int main(){}"), entry_point="solve")

    def test_a_missing_entry_point_is_an_authoring_fault(self) -> None:
        with pytest.raises(WrappingError, match="entry point"):
            wrap(LANGUAGES["python"], source("1"), template="{{{ code }}}\n{{{ entry_point }}}()\n")


class TestTemplateFault:
    @pytest.mark.parametrize(
        "template",
        [
            "{{{ kode }}}",
            "x = '{{{ code }}}'",
            "    {{{ code }}}",
            "# {{{ prelude }}}",
            "{{{ code }}} {{{ postlude }}}",
            "{{{}}}",
        ],
    )
    def test_what_could_be_closed_from_within_is_refused(self, template: str) -> None:
        assert template_fault(template, entry_point="solve")

    @pytest.mark.parametrize("entry_point", ["", "os.system('x')", "a b", "1a", "f\n", "sölve"])
    def test_an_entry_point_is_an_identifier(self, entry_point: str) -> None:
        assert template_fault("{{{ entry_point }}}()", entry_point=entry_point)

    def test_all_holes_together_are_fine(self) -> None:
        template = "\n".join(f"{{{{{{ {hole} }}}}}}" for hole in sorted(HOLES))
        assert template_fault(template, entry_point="solve") is None


class TestFrames:
    def test_the_header_stands_before_the_arguments(self) -> None:
        header, _, arguments = frame_input("[1, 2]", nonce=NONCE, encoding="json").partition(b"\n")
        assert json.loads(header) == {"nonce": NONCE, "encoding": "json"}
        assert arguments == b"[1, 2]"

    def test_nonces_differ(self) -> None:
        assert new_nonce() != new_nonce()

    def test_the_value_is_read_apart_from_prints(self) -> None:
        answer = read_frame(framed('{"value": [1]}', before="hi", after="bye"), nonce=NONCE, encoding="json")
        assert answer == Answer(value=b"[1]", printed=b"hibye")

    @pytest.mark.parametrize(
        "stdout", [b"", b"[1]\n", f"\n{NONCE}half".encode(), b'\nother{"value": 1}other\n'], ids=range(4)
    )
    def test_without_a_whole_frame_nothing_was_returned(self, stdout: bytes) -> None:
        answer = read_frame(stdout, nonce=NONCE, encoding="json")
        assert answer.value is None
        assert not answer.has_returned
        assert answer.printed == stdout

    @pytest.mark.parametrize("payload", ["", "{}", "[1]", "nonsense", '{"fault": "set: no"}', "[" * 100_000])
    def test_a_frame_without_a_value_has_returned_none(self, payload: str) -> None:
        answer = read_frame(framed(payload), nonce=NONCE, encoding="json")
        assert answer.value is None
        assert answer.has_returned
        assert answer.fault

    def test_text_of_a_value_that_is_no_unicode_raises_nothing(self) -> None:
        answer = read_frame(framed('{"value": "\\ud800"}'), nonce=NONCE, encoding="python-literal")
        assert answer.value is not None
