"""Where a line stands: in code, a comment, a string or a bracket, in the three languages that are read for it."""

import time

import pytest

from executor.judging.lexing import standing_after

PLAIN = [
    "",
    "int a = 1; // a comment { \" '",
    "/* a { comment */ int b;",
    'char *s = "{ /* \\" // ";',
    "char c = '\"', d = '\\'', e = '{';",
    "int f(int x) { return a[(x)]; }",
]


class TestStandingAfter:
    @pytest.mark.parametrize("language", ["c", "cpp", "java"])
    @pytest.mark.parametrize("text", PLAIN)
    def test_whole_code_leaves_code(self, text: str, language: str) -> None:
        standing = standing_after(text, language=language)
        assert (standing.is_code, standing.is_whole) == (True, True)

    @pytest.mark.parametrize("language", ["c", "cpp", "java"])
    @pytest.mark.parametrize("text", ["{", "(", "[", "}", "{]", "}{", 'f("(" + '])
    def test_a_bracket_that_is_open_or_was_never_opened(self, text: str, language: str) -> None:
        standing = standing_after(text, language=language)
        assert (standing.is_code, standing.is_whole) == (True, False)

    @pytest.mark.parametrize(
        ("language", "text"),
        [
            ("c", "int a; /* still"),
            ("java", "/* one */ /* two"),
            ("c", "// goes on \\\n"),
            ("cpp", "// goes on \\\r\n"),
            ("cpp", 'auto s = R"x( )" )y" '),
            ("cpp", 'u8R"('),
            ("java", 'String s = """\n text \\""" '),
        ],
    )
    def test_what_swallows_the_next_line(self, language: str, text: str) -> None:
        assert not standing_after(text, language=language).is_code

    @pytest.mark.parametrize(
        ("language", "text"),
        [
            ("java", "// ends here \\\n"),
            ("java", "/* closed \\u002a/ int a;"),
            ("java", 'String s = "\\\\u007b"; // two backslashes: no escape'),
            ("java", '"""\n } " { \n""";'),
            ("cpp", 'R"x( )" /* )x" '),
            ("cpp", "auto n = 1'000'000; int b = 0x1'F;"),
            ("c", '"""'),
            ("c", "#error don't\nint a;"),
        ],
    )
    def test_each_language_has_its_own_ways(self, language: str, text: str) -> None:
        assert standing_after(text, language=language).is_whole

    @pytest.mark.parametrize("text", ["\\u007b", "// \\u000a {", "\\uuu007d", "\\\\\\u007b"])
    def test_java_s_escapes_are_read_before_anything_else(self, text: str) -> None:
        assert not standing_after(text, language="java").is_whole

    @pytest.mark.parametrize("language", ["c", "cpp", "java"])
    @pytest.mark.parametrize(
        "piece", ["/*", '"', "'", '"""', 'R"(', 'R"a', "\\", "\\u", "\\uu", "{", "//\\\n", "1'", '"\\\n']
    )
    def test_hostile_text_is_read_in_linear_time(self, piece: str, language: str) -> None:
        text = piece * (64 * 1024 // len(piece))
        started = time.process_time()
        standing_after(text, language=language)
        assert time.process_time() - started < 1
