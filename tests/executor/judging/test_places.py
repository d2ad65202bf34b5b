"""File names and line numbers in messages, led back to what the student wrote."""

import time

import pytest

from executor.engines.base import CompileResult
from executor.judging.places import Places, as_written, bytes_as_written, compilation_as_written, line_count

OWN_FILE = Places(driver="main.py", file="solution.py", shown="fib.py")
INCLUDED = Places(driver="main.c", file="solution.c.inc", shown="solution.c")
WRITTEN_IN = Places(driver="Main.java", file="", shown="Solution.java", first_line=4, line_count=3)


class TestNames:
    def test_the_file_is_told_by_its_own_name(self) -> None:
        assert as_written(OWN_FILE, 'File "/box/solution.py", line 4') == 'File "/box/fib.py", line 4'
        assert as_written(INCLUDED, "solution.c.inc:4:5: error: x") == "solution.c:4:5: error: x"

    @pytest.mark.parametrize(
        "text", ["mysolution.py", "solution.py.bak", "solution.pyc", "a-solution.py", "x.solution.py"]
    )
    def test_other_files_keep_theirs(self, text: str) -> None:
        assert as_written(OWN_FILE, text) == text

    def test_a_name_at_the_end_of_a_sentence_is_one(self) -> None:
        assert as_written(OWN_FILE, "in solution.py.") == "in fib.py."

    def test_a_bare_program_s_words_are_its_own(self) -> None:
        text = '  File "main.py", line 1, in f\n    x\n'
        assert as_written(None, text) == text


class TestLines:
    @pytest.mark.parametrize(
        ("told", "shown"),
        [
            ("Main.java:4: error: x", "Solution.java:1: error: x"),
            ("\tat Main.f(Main.java:6)", "\tat Main.f(Solution.java:3)"),
            ("Main.java:3: error", "Main.java:3: error"),
            ("Main.java:7: error", "Main.java:7: error"),
            ("NotMain.java:5", "NotMain.java:5"),
            ("Main.java:99999999999999999999", "Main.java:99999999999999999999"),
        ],
    )
    def test_a_block_s_lines_count_from_its_first(self, told: str, shown: str) -> None:
        assert as_written(WRITTEN_IN, told) == shown

    @pytest.mark.parametrize(
        ("text", "count"), [("", 1), ("a", 1), ("a\n", 2), ("a\r\nb\rc\nd", 4), ("a\u2028b\x0c", 1)]
    )
    def test_lines_are_what_compilers_count(self, text: str, count: int) -> None:
        assert line_count(text) == count


class TestDriver:
    def test_its_frames_are_left_out_of_tracebacks(self) -> None:
        text = (
            "Traceback (most recent call last):\n"
            '  File "/box/main.py", line 9, in <module>\n    call()\n    ^^^^^^\n'
            '  File "solution.py", line 2, in f\n    return g(0)\n           ^^^^\n'
            '  File "main.py", line 3, in g\n    return 1 / 0\n           ~~^~~\n'
            "ZeroDivisionError: division by zero\n"
        )
        assert as_written(OWN_FILE, text) == (
            "Traceback (most recent call last):\n"
            '  File "fib.py", line 2, in f\n    return g(0)\n           ^^^^\n'
            "ZeroDivisionError: division by zero\n"
        )

    def test_and_out_of_stacks(self) -> None:
        places = Places(driver="main.js", file="solution.js", shown="solution.js")
        text = "    at f (solution.js:3:3)\n    at /box/main.js:4:1\n    at Object.<anonymous> (/box/main.js:4:13)\n"
        internal = (
            "    at Module._compile (node:internal/modules/cjs/loader:1554:14)\n    at new Script (node:vm:117:7)\n"
        )
        assert as_written(places, text + internal) == "    at f (solution.js:3:3)\n"

    def test_and_where_it_includes_from(self) -> None:
        text = (
            "In file included from solution.c.inc:1,\n                 from main.c:3:\nhelper.h:2: error\n"
            "In file included from main.c:3:\nsolution.c.inc:4: error\n"
        )
        assert as_written(INCLUDED, text) == (
            "In file included from solution.c:1,\nhelper.h:2: error\nsolution.c:4: error\n"
        )


class TestHostileOutput:
    def test_bytes_that_are_no_text_come_through(self) -> None:
        output = b"\x00\xff solution.py \xed\xa0\x80\r\x85"
        assert bytes_as_written(OWN_FILE, output) == output.replace(b"solution", b"fib")
        assert bytes_as_written(None, output) is output

    @pytest.mark.parametrize("places", [OWN_FILE, INCLUDED, WRITTEN_IN])
    @pytest.mark.parametrize(
        "piece",
        ["solution.py", "main.py:", '  File "', "    at ", "Main.java:1", " from main.c:", "(/", "\n    ", " ", "x"],
    )
    def test_a_megabyte_is_read_in_linear_time(self, piece: str, places: Places) -> None:
        text = piece * (1024 * 1024 // len(piece))
        started = time.process_time()
        as_written(places, text)
        as_written(places, "    at " + text)
        assert time.process_time() - started < 3

    def test_what_a_compiler_said_is_told_the_same_way(self) -> None:
        said = CompileResult(succeeded=False, output="solution.c.inc:4: error", time_ms=1)
        told = compilation_as_written(INCLUDED, said)
        assert told is not None
        assert (told.output, told.succeeded, told.time_ms) == ("solution.c:4: error", False, 1)
        assert compilation_as_written(INCLUDED, None) is None
        assert compilation_as_written(None, said) is said
