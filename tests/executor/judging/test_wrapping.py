"""Templates, holes and frames. That wrapped programs really run is shown where the engines are tested."""

import json

import pytest

from executor.engines.base import SourceFile
from executor.judging.languages import LANGUAGES
from executor.judging.wrapping import (
    HOLES,
    WRAPPED,
    Answer,
    WrappingError,
    frame_input,
    new_nonce,
    read_frame,
    template_fault,
    wrap,
)

NONCE = "f" * 32
TEMPLATE = "{{{ prelude }}}\n{{{ code }}}\n{{{ postlude }}}\ncall({{{ entry_point }}})\n"


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
        program = wrap(
            LANGUAGES["python"],
            source("CODE"),
            entry_point="solve",
            template=TEMPLATE,
            prelude="BEFORE",
            postlude="AFTER",
        )
        before, code, after, call = program.files[0].content.splitlines()
        assert (before, after, call) == ("BEFORE", "AFTER", "call(solve)")
        assert '"solution.py"' in code
        assert not program.is_framed

    @pytest.mark.parametrize("key", sorted(WRAPPED))
    def test_the_template_s_own_lines_stay_where_they_are(self, key: str) -> None:
        program = wrap(LANGUAGES[key], source("CODE", LANGUAGES[key].main_name), entry_point="solve", template=TEMPLATE)
        assert program.files[0].name == LANGUAGES[key].main_name
        assert program.files[0].content.split("\n")[2:] == ["", "call(solve)", ""]

    @pytest.mark.parametrize("key", ["python", "javascript", "c", "cpp", "cpp20"])
    def test_the_driver_is_the_same_whatever_the_code(self, key: str) -> None:
        def driver(code: str) -> str:
            files = source(code, LANGUAGES[key].main_name)
            return wrap(LANGUAGES[key], files, entry_point="solve", template=TEMPLATE).files[0].content

        assert driver("CODE") == driver('*/ } """ {{{ postlude }}}\n#endif\n')

    @pytest.mark.parametrize(
        ("key", "name", "there", "shown"),
        [
            ("python", "main.py", "solution.py", "solution.py"),
            ("python", "fib.py", "fib.py", "fib.py"),
            ("javascript", "fib.js", "fib.js", "fib.js"),
            ("c", "main.c", "solution.c.inc", "solution.c"),
            ("cpp", "fib.cc", "fib.cc.inc", "fib.cc"),
            ("cpp20", "fib.cc", "fib.cc.inc", "fib.cc"),
            ("java", "Main.java", "", "Solution.java"),
            ("java", "Fib.java", "", "Fib.java"),
        ],
    )
    def test_a_block_keeps_the_name_its_student_gave_it(self, key: str, name: str, there: str, shown: str) -> None:
        program = wrap(LANGUAGES[key], source("CODE", name), entry_point="solve", template=TEMPLATE)
        assert program.places is not None
        assert (program.places.file, program.places.shown) == (there, shown)
        assert [file.name for file in program.files[1:]] == ([there] if there else [])

    @pytest.mark.parametrize(
        ("key", "name", "there"),
        [
            ("python", "fib.py", "solution.py"),
            ("c", "fib.c", "solution.c"),
            ("java", "Fib.java", "Fib.java"),
            ("java", "Main.java", "Solution.java"),
        ],
    )
    def test_without_a_hole_the_code_is_where_the_template_expects_it(self, key: str, name: str, there: str) -> None:
        program = wrap(
            LANGUAGES[key], source("CODE", name), entry_point="solve", template="call({{{ entry_point }}})\n"
        )
        assert {file.name: file.content for file in program.files}[there] == "CODE"

    @pytest.mark.parametrize("key", sorted(WRAPPED))
    def test_prelude_and_postlude_stand_around_a_stdio_program_too(self, key: str) -> None:
        main = source("CODE", LANGUAGES[key].main_name)
        program = wrap(LANGUAGES[key], main, prelude="BEFORE", postlude="AFTER")
        whole = "\n".join(file.content for file in program.files)
        assert {"BEFORE", "CODE", "AFTER"} <= set(whole.splitlines())
        assert not program.is_framed
        assert wrap(LANGUAGES[key], main).files == main

    def test_what_javascript_shares_is_run_and_not_declared_in_the_module(self) -> None:
        program = wrap(LANGUAGES["javascript"], source("CODE", "main.js"), entry_point="solve", prelude="const A = 1;")
        assert [file.name for file in program.files] == ["main.js", "prelude.js", "solution.js"]
        assert "const A" not in program.files[0].content

    @pytest.mark.parametrize("code", ["}", "{", "/*", '"""', "\\u007d", "// \\u000a }", "} class Evil {", "(]"])
    def test_a_java_block_that_is_not_whole_is_left_alone_with_its_compiler(self, code: str) -> None:
        files = (*source(code, "Main.java"), SourceFile(name="Solution.java", content="taken"))
        program = wrap(LANGUAGES["java"], files, entry_point="solve", template=TEMPLATE)
        assert program.files == (SourceFile(name="Solution.java", content=code),)

    @pytest.mark.parametrize(
        "code",
        ["int a() { return 1; } // }", 'String s = "}{/*\\"";', "char c = '{';", '"""\n } " \n"""', "/* \\u007b */"],
    )
    def test_a_whole_java_block_is_written_in(self, code: str) -> None:
        program = wrap(LANGUAGES["java"], source(code, "Main.java"), entry_point="solve", template=TEMPLATE)
        assert program.files[0].content == f"\n{code}\n\ncall(solve)\n"

    @pytest.mark.parametrize("key", ["python", "javascript"])
    def test_the_builtin_templates_are_sound(self, key: str) -> None:
        program = wrap(LANGUAGES[key], source("x"), entry_point="solve")
        assert "{{{" not in program.files[0].content
        assert '"solve"' in program.files[0].content

    @pytest.mark.parametrize("key", sorted(WRAPPED))
    def test_a_hole_in_the_student_s_code_or_the_author_s_blocks_stays_text(self, key: str) -> None:
        files = source("{{{ postlude }}}", LANGUAGES[key].main_name)
        program = wrap(LANGUAGES[key], files, prelude="{{{ code }}}", postlude="SECRET")
        texts = [file.content for file in program.files]
        assert sum("{{{ postlude }}}" in text for text in texts) == 1
        assert sum(text.count("SECRET") for text in texts) == 1
        assert sum(text.count("{{{ code }}}") for text in texts) == 1

    def test_a_student_s_file_named_like_the_driver_gives_way(self) -> None:
        files = (*source("1"), SourceFile(name="main.py", content="evil"), SourceFile(name="util.py", content="2"))
        program = wrap(LANGUAGES["python"], files, entry_point="solve")
        assert [file.name for file in program.files] == ["main.py", "solution.py", "util.py"]
        assert "evil" not in program.files[0].content

    def test_a_language_without_a_template_needs_the_author_s(self) -> None:
        with pytest.raises(WrappingError, match="template"):
            wrap(LANGUAGES["c"], source("int main(){}"), entry_point="solve")

    @pytest.mark.parametrize("key", sorted(LANGUAGES.keys() - WRAPPED))
    @pytest.mark.parametrize("asked", [{"prelude": "BEFORE"}, {"template": TEMPLATE, "entry_point": "solve"}])
    def test_a_language_that_cannot_be_wrapped_is_refused_and_loses_nothing(
        self, key: str, asked: dict[str, str]
    ) -> None:
        main = source("CODE", LANGUAGES[key].main_name)
        with pytest.raises(WrappingError, match="run as they are"):
            wrap(LANGUAGES[key], main, **asked)
        assert wrap(LANGUAGES[key], main).files == main

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
            "{{{ code }}}\n{{{ code }}}\n",
            # No line break in C, however it looks elsewhere.
            "// \u2028{{{ code }}}",
            "// \x0c{{{ code }}}",
            "{{{}}}",
        ],
    )
    def test_what_could_be_closed_from_within_is_refused(self, template: str) -> None:
        assert template_fault(template, entry_point="solve")

    @pytest.mark.parametrize("entry_point", ["", "os.system('x')", "a b", "1a", "f\n", "sölve"])
    def test_an_entry_point_is_an_identifier(self, entry_point: str) -> None:
        assert template_fault("{{{ entry_point }}}()", entry_point=entry_point)

    @pytest.mark.parametrize("block", ["prelude", "postlude"])
    def test_a_block_that_no_hole_takes_is_not_lost_silently(self, block: str) -> None:
        assert template_fault("{{{ code }}}\n", **{block: "x"})
        assert template_fault("{{{ code }}}\n", **{block: "  \n"}) is None
        assert template_fault(f"{{{{{{ {block} }}}}}}\n", **{block: "x"}) is None

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
