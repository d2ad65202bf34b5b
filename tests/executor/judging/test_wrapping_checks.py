"""Authors hear of a wrapping that cannot work when they save it."""

import pytest

from executor.judging.languages import LANGUAGES
from executor.judging.wrapping import WRAPPED
from executor.judging.wrapping_checks import wrapping_fault

SOUND = {
    "python": '{{{ prelude }}}\n{{{ code }}}\n{{{ postlude }}}\nprint({{{ entry_point }}}(input("""{""")))\n',
    "javascript": "{{{ prelude }}}\n{{{ code }}}\n{{{ postlude }}}\nconsole.log({{{ entry_point }}}(/[{]'/))\n",
    "c": '/* a */ // b\nchar *s = "/*";\n{{{ prelude }}}\n{{{ code }}}\nint main(void) { {{{ entry_point }}}(); }\n',
    "cpp": 'auto s = R"(/*)"; int n = 1\'000;\nnamespace student {\n{{{ code }}}\n}\n{{{ postlude }}}\n',
    "java": "public class Main {\n/* code: */\n{{{ code }}}\n  char q = '\"';\n}\n",
}


SOUND["cpp20"] = SOUND["cpp"]


class TestSound:
    @pytest.mark.parametrize("key", SOUND)
    def test_a_sound_template_has_no_fault(self, key: str) -> None:
        assert wrapping_fault(LANGUAGES[key], entry_point="solve", template=SOUND[key]) is None

    @pytest.mark.parametrize("key", sorted(WRAPPED))
    def test_prelude_and_postlude_need_no_template(self, key: str) -> None:
        assert wrapping_fault(LANGUAGES[key], prelude="x = 1", postlude="y = 2") is None

    @pytest.mark.parametrize("key", ["python", "javascript"])
    def test_the_builtin_templates_take_them(self, key: str) -> None:
        assert wrapping_fault(LANGUAGES[key], entry_point="solve", prelude="x = 1", postlude="y = 2") is None

    @pytest.mark.parametrize(
        ("key", "template"),
        [
            ("python", "from solution import *\n"),
            ("javascript", "require('./solution.js')\n"),
            ("c", "int solve(int); int main(void) { return solve(1); }\n"),
            ("java", "public class Main { { new Solution(); } }\n"),
        ],
    )
    def test_a_template_may_come_to_the_code_by_its_file(self, key: str, template: str) -> None:
        assert wrapping_fault(LANGUAGES[key], template=template) is None


class TestFaults:
    @pytest.mark.parametrize(
        ("key", "part", "wrapping", "says"),
        [
            pytest.param("python", "template", {"template": "print(1)\n"}, "never comes", id="python, no way in"),
            pytest.param("javascript", "template", {"template": "go()\n"}, "never comes", id="javascript, no way in"),
            pytest.param("python", "template", {"template": "def f(:\n{{{ code }}}\n"}, "line 1", id="broken python"),
            pytest.param("python", "template", {"template": '"""\n{{{ code }}}\n"""\n'}, "inside", id="in a docstring"),
            pytest.param("python", "template", {"template": "x = (\n{{{ code }}}\n)\n"}, "inside", id="in parentheses"),
            pytest.param("python", "template", {"template": "if x:\\\n{{{ code }}}\n"}, "inside", id="in a statement"),
            pytest.param("c", "template", {"template": "/*\n{{{ code }}}\n*/\n"}, "inside", id="in a comment"),
            pytest.param(
                "cpp", "template", {"template": '"" R"(\n{{{ code }}}\n)";\n'}, "inside", id="in a raw string"
            ),
            pytest.param("java", "template", {"template": '"""\n{{{ code }}}\n""";\n'}, "inside", id="in a text block"),
            pytest.param("c", "template", {"template": "{{{ code }}}\n{{{ kode }}}\n"}, "unknown", id="unknown hole"),
            pytest.param("c", "template", {"template": "{{{ entry_point }}}()\n"}, "names none", id="no entry point"),
            pytest.param("c", "template", {"entry_point": "f"}, "none built in", id="nothing built in"),
            pytest.param(
                "python", "template", {"template": "{{{ code }}}\n", "prelude": "x"}, "lost", id="lost prelude"
            ),
            pytest.param("python", "prelude", {"prelude": "x = (\n"}, "line 1", id="broken prelude"),
            pytest.param("python", "postlude", {"postlude": '"""'}, "not valid", id="broken postlude"),
            pytest.param("c", "prelude", {"prelude": "{{{ code }}}\n"}, "stay text", id="hole in a prelude"),
            pytest.param("python", "prelude", {"prelude": "(" * 5000}, "not valid", id="deep prelude"),
            pytest.param("python", "prelude", {"prelude": "x" + ".x" * 100_000}, "not valid", id="long prelude"),
        ],
    )
    def test_each_is_named_at_its_part(self, key: str, part: str, wrapping: dict[str, str], says: str) -> None:
        fault = wrapping_fault(LANGUAGES[key], **wrapping)
        assert fault is not None
        assert fault.part == part
        assert says in fault.detail
