"""G-10: what a student writes changes nothing of what it is wrapped in. On the real sandbox."""

from decimal import Decimal

import pytest

from core.errors import InvalidInput
from executor.engines.base import SourceFile
from executor.judging.checkers import CheckerSpec
from executor.judging.languages import LANGUAGES
from executor.judging.outcome import JudgingOutcome
from executor.judging.plan import JudgingPlan, PlannedTest
from executor.judging.wrapping import WrappedProgram, wrap
from executor.services.code_executor import CodeExecutorService
from executor.services.engines import engine_named
from executor.services.sources import source_files
from tests.executor.injections import HOSTILE, ODD, RIGHT, TEMPLATES, WRONG

BUILTIN = ("python", "javascript")


def cases(table: dict[str, dict[str, str]]) -> list[object]:
    """Every program with its language's template by an author, and with the built-in one where there is one."""
    return [
        pytest.param(key, template, code, id=f"{key}-{'author' if template else 'builtin'}-{name}")
        for key, programs in table.items()
        for name, code in programs.items()
        for template in (TEMPLATES[key], *([""] if key in BUILTIN else []))
    ]


@pytest.fixture(scope="module")
def service() -> CodeExecutorService:
    return CodeExecutorService(engine_named("sandbox"))


def wrapped(key: str, template: str, code: str) -> WrappedProgram:
    files = (SourceFile(name=LANGUAGES[key].main_name, content=code),)
    return wrap(LANGUAGES[key], files, entry_point="f", template=template)


def judged(service: CodeExecutorService, key: str, template: str, code: str) -> JudgingOutcome:
    """The outcome on three tests, none of which expects 0."""
    numbers = (3, 10, -4)
    plan = JudgingPlan(
        language=LANGUAGES[key],
        files=source_files(LANGUAGES[key], code),
        tests=tuple(PlannedTest(key=n, input=f"{n}\n" if template else f"[{n}]", expected=f"{2 * n}") for n in numbers),
        checker=CheckerSpec(name="tokens" if template else "json"),
        time_limit_ms=5000,
        memory_limit_mb=256,
        entry_point="f",
        template=template,
    )
    return service.run_all_test_cases(plan)


class TestCorpus:
    def test_it_is_large_enough(self) -> None:
        assert sum(len(programs) for programs in HOSTILE.values()) >= 60

    @pytest.mark.parametrize("key", TEMPLATES)
    def test_a_right_program_earns_everything_and_a_wrong_one_nothing(
        self, service: CodeExecutorService, key: str
    ) -> None:
        assert judged(service, key, TEMPLATES[key], RIGHT[key]).score == Decimal(100)
        assert judged(service, key, TEMPLATES[key], WRONG[key]).score == Decimal(0)


class TestInjections:
    @pytest.mark.parametrize(("key", "template", "code"), cases(HOSTILE))
    def test_none_earns_more_than_it_honestly_would(
        self, service: CodeExecutorService, key: str, template: str, code: str
    ) -> None:
        assert judged(service, key, template, code).score == Decimal(0)

    @pytest.mark.parametrize(("key", "template", "code"), cases(ODD))
    def test_what_only_looks_odd_earns_everything(
        self, service: CodeExecutorService, key: str, template: str, code: str
    ) -> None:
        assert judged(service, key, template, code).score == Decimal(100)

    @pytest.mark.parametrize(("key", "template", "code"), [*cases(HOSTILE), *cases(ODD)])
    def test_the_template_s_other_text_is_what_it_was(self, key: str, template: str, code: str) -> None:
        given, plain = wrapped(key, template, code), wrapped(key, template, RIGHT[key])
        if given.places is None:
            # Not wrapped at all: it goes to the compiler alone, which will not have it.
            assert [file.content for file in given.files] == [code]
            return
        driver, expected = given.files[0].content, plain.files[0].content
        if key == "java":
            before, after = expected.split(RIGHT[key])
            assert driver == before + code + after
        else:
            assert driver == expected
            assert [file.content for file in given.files[1:]] == [code]

    def test_nul_is_refused(self) -> None:
        with pytest.raises(InvalidInput) as refusal:
            source_files(LANGUAGES["c"], RIGHT["c"] + "\x00*/")
        assert [error.code for error in refusal.value.errors] == ["nul_character"]


# Templates with a rule by which nobody earns anything, and an end of the code that swallows it where it is spliced in.
RULES = {
    "python": (
        '{{{ code }}}\nraise SystemExit("the rule")\nprint(f(int(input())))\n',
        RIGHT["python"] + "if 0: \\",
    ),
    "javascript": (
        "{{{ code }}}\nprocess.exit(1);\nconsole.log(f(Number(require('fs').readFileSync(0, 'utf8'))));\n",
        RIGHT["javascript"] + "if (0)",
    ),
    "c": (
        "#include <stdio.h>\n{{{ code }}}\n#define RULE return 1; /* the rule */\n#ifndef RULE\n#define RULE\n#endif\n"
        'int main(void) { int n; scanf("%d", &n); RULE printf("%d\\n", f(n)); return 0; }\n',
        RIGHT["c"] + "/*",
    ),
    "java": (
        "public class Main {\n{{{ code }}}\nstatic { System.exit(1); } /* the rule */\n"
        "public static void main(String[] a) {\n"
        "  System.out.println(f(new java.util.Scanner(System.in).nextInt()));\n}\n}\n",
        RIGHT["java"] + "/*",
    ),
}


class TestControl:
    @pytest.mark.parametrize("key", RULES)
    def test_spliced_in_the_same_attack_would_earn_everything(self, service: CodeExecutorService, key: str) -> None:
        template, attack = RULES[key]
        assert judged(service, key, template, attack).score == Decimal(0)
        spliced = template.replace("{{{ code }}}", attack)
        plan = JudgingPlan(
            language=LANGUAGES[key],
            files=source_files(LANGUAGES[key], spliced),
            tests=(PlannedTest(key=1, input="3\n", expected="6"),),
            checker=CheckerSpec(name="tokens"),
            time_limit_ms=5000,
            memory_limit_mb=256,
        )
        assert service.run_all_test_cases(plan).score == Decimal(100)
