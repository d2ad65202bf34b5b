"""Headers of attacks are read strictly: what an attack is allowed must not depend on a slip of the pen."""

import pytest

from executor.judging.verdicts import Verdict
from tests.executor.hostile.header import Canary, HeaderError, parse

HEADER = "id: S-11|title: forks|stage: run|verdicts: runtime_error time_limit_exceeded|canaries: C3 escaped"


def commented(sign: str, header: str) -> str:
    return "\n".join(f"{sign} {line}" for line in header.split("|")) + "\n"


class HeaderTestCase:
    @pytest.mark.parametrize(("name", "sign"), [("a.py", "#"), ("a.c", "//"), ("a.cpp", "//"), ("A.java", " *")])
    def test_it_is_read_from_comments_of_each_language(self, name: str, sign: str) -> None:
        attack = parse(
            name, commented(sign, HEADER + "|wall_limit_ms: 700|files: a=b = c; d =e") + "title: no header\n"
        )
        assert (attack.id, attack.title, attack.stage) == ("S-11", "forks", "run")
        assert attack.verdicts == {Verdict.RUNTIME_ERROR, Verdict.TIME_LIMIT_EXCEEDED}
        assert attack.canaries == (Canary.LEFTOVERS, Canary.ESCAPED)
        assert (attack.limits.wall_limit_ms, attack.limits.time_limit_ms, attack.runs) == (700, 1000, 1)
        assert attack.files == (("a", "b = c"), ("d", "e"))

    @pytest.mark.parametrize(
        "header",
        [
            pytest.param("id: S-11|title: forks|stage: run|canaries: C3", id="no verdicts"),
            pytest.param(HEADER.replace("S-11", "S11"), id="no id of the catalogue"),
            pytest.param(HEADER.replace("run", "link"), id="an unknown stage"),
            pytest.param(HEADER.replace("runtime_error", "anything"), id="an unknown verdict"),
            pytest.param(HEADER.replace("runtime_error", "internal_error"), id="a fault of ours allowed"),
            pytest.param(HEADER.replace("C3", "C9"), id="an unknown canary"),
            pytest.param(HEADER + "|verdict: accepted", id="an unknown key"),
            pytest.param(HEADER + "|id: S-12", id="a key twice"),
            pytest.param(HEADER + "|runs: 0", id="no run"),
            pytest.param(HEADER + "|files: name", id="a file without content"),
        ],
    )
    def test_what_is_not_as_it_should_be_is_refused(self, header: str) -> None:
        with pytest.raises(HeaderError):
            parse("a.py", commented("#", header))

    def test_an_unknown_language_is_refused(self) -> None:
        with pytest.raises(HeaderError, match=r"a\.txt"):
            parse("a.txt", commented("#", HEADER))
