"""Catalogue L: what is hidden stays hidden, in the box and in every answer a student can read.

Words are planted in hidden inputs, expected outputs, checkers, settings, files of the machine and other students'
programs; they may be neither found by a program that searches its box nor told by any address. README.md says where
each row is proven.
"""

import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import log2
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from rest_framework.test import APIClient

from accounts.models import User
from courses.models import TestSet
from executor.engines.base import EngineUnavailable, Limits, RunRequest, RunResult, RunStatus, SourceFile
from executor.engines.sandbox import SandboxEngine
from executor.judging.languages import LANGUAGES
from executor.judging.verdicts import Verdict
from executor.models import Judgement, Submission
from executor.services.code_executor import CodeExecutorService
from tests.executor.fakes import ScriptedEngine, run_result
from tests.executor.hostile.canaries import processes_naming
from tests.executor.hostile.classroom import all_that, classroom, judge_next
from tests.executor.hostile.graded import ATTACKS, attack_named, escapes_of, judged
from tests.executor.hostile.header import Attack, load
from tests.executor.hostile.planted import plant, words_in
from tests.executor.sandbox.weakened import WeakEngine, with_bind

ApiAs = Callable[[User], APIClient]
LEAKS = {attack.name: attack for attack in load(ATTACKS, letter="L")}
Feedback = Submission.Feedback


def named(*beginnings: str) -> list[Any]:
    """The attacks whose names begin so, as parameters."""
    return [pytest.param(one, id=name) for name, one in LEAKS.items() if name.startswith(beginnings)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Planted on the machine: a directory that everybody may read, a variable, and a program that runs meanwhile."""

    directory: Path
    words: frozenset[str]
    neighbor: str


@pytest.fixture(scope="module")
def service() -> CodeExecutorService:
    return CodeExecutorService(SandboxEngine())


@pytest.fixture(scope="module")
def machine(service: CodeExecutorService) -> Iterator[Machine]:
    directory = Path(tempfile.mkdtemp(dir="/var/tmp"))
    words = {place: plant(place) for place in ("host", "variable", "source", "neighbor")}
    # Another student's program: the word in its text, in its files, in its variables and as the name of its process.
    source = (
        f"import os  # {words['source']}\nfor place in ('/tmp/', '/box/'):\n"
        f"    with open(place + '{words['neighbor']}', 'w') as file: file.write('{words['neighbor']}')\n"
        f"os.environ['WORD'] = '{words['neighbor']}'\nos.execv('/bin/sleep', ['{words['neighbor']}', '60'])\n"
    )
    request = RunRequest(
        toolchain=LANGUAGES["python"].toolchain,
        files=(SourceFile(name="main.py", content=source),),
        inputs=(words["neighbor"].encode(),),
        limits=Limits(time_limit_ms=5000, wall_limit_ms=60_000, memory_limit_mb=64),
    )
    thread = threading.Thread(target=SandboxEngine().run, args=(request,))
    try:
        directory.chmod(0o755)
        (directory / "open").write_text(words["host"])
        (directory / "open").chmod(0o644)
        os.environ["ASSAY_TEST_PLANTED"] = words["variable"]
        thread.start()
        deadline = time.monotonic() + 30
        while not processes_naming(words["neighbor"]):
            assert time.monotonic() < deadline, "the neighbor did not start"
            time.sleep(0.02)
        yield Machine(directory=directory, words=frozenset(words.values()), neighbor=words["neighbor"])
    finally:
        for pid in processes_naming(words["neighbor"]):
            os.kill(pid, signal.SIGKILL)
        if thread.ident is not None:
            thread.join()
        os.environ.pop("ASSAY_TEST_PLANTED", None)
        shutil.rmtree(directory)


class BoxTestCase:
    """L-01 and L-08: a program that searches all it can reach finds its own input and no other word."""

    @pytest.mark.parametrize("attack", named("l01"))
    def test_a_search_finds_no_planted_word(
        self, service: CodeExecutorService, machine: Machine, attack: Attack
    ) -> None:
        outcome = judged(service, attack)
        assert processes_naming(machine.neighbor), "the other student's program ran all the while"
        assert (escapes_of(outcome), outcome.score) == ([], 0)
        looked = [test.result.stderr.split(b"looked into ")[1] for test in outcome.tests if test.result]
        assert all(int(count.split()[0]) > 0 for count in looked)

    @pytest.mark.parametrize("attack", named("l01"))
    def test_control_a_directory_of_the_machine_in_the_box_is_found(self, machine: Machine, attack: Attack) -> None:
        weak = WeakEngine(argv=with_bind(str(machine.directory)))
        outcome = judged(CodeExecutorService(weak), attack)
        (word,) = words_in((machine.directory / "open").read_text())
        assert words_in("".join(escapes_of(outcome))) & machine.words == {word}

    @pytest.mark.parametrize("name", ["l01_walk.py", "l01_walk.js"])
    def test_control_so_is_our_environment(self, machine: Machine, name: str) -> None:
        weak = WeakEngine(plan={"environment": dict(os.environ)})
        (word,) = words_in(os.environ["ASSAY_TEST_PLANTED"])
        assert any(word in line for line in escapes_of(judged(CodeExecutorService(weak), attack_named(name))))


@pytest.mark.django_db
class AnswersTestCase:
    """L-02, L-03, L-05, L-06, L-08: whatever a program says of hidden tests, no answer carries it to a student."""

    @pytest.mark.parametrize("attack", named("l02", "l03", "l05"))
    def test_no_address_tells_a_student(
        self, service: CodeExecutorService, machine: Machine, attack: Attack, api_as: ApiAs
    ) -> None:
        room = classroom(entry_point="solve" if attack.name.startswith("l05") else "")
        own = plant("own")
        comment = "#" if attack.language == "python" else "//"
        source = attack.source.replace("@PLANTED@", str(machine.directory))
        submission = room.hand_in(attack.language, f"{source}\n{comment} {own}\n")
        submission = judge_next(service)
        assert submission.status in attack.verdicts
        may_not = room.hidden | machine.words
        for feedback in (Feedback.NONE, Feedback.SAMPLES, Feedback.VERDICTS):
            Submission.objects.update(feedback=feedback)
            told = all_that(api_as(room.student))
            assert (words_in(told) & may_not, own in told) == (set(), True)
            assert not any(secret in told for secret in (str(settings.BASE_DIR), settings.SECRET_KEY))
        Submission.objects.update(feedback=Feedback.FULL)
        for other in (api_as(room.peer), APIClient()):
            assert words_in(all_that(other)) <= room.sample
        # The controls: it was all there to be told.
        if not attack.name.startswith("l02"):
            assert words_in(all_that(api_as(room.student))) >= room.hidden
            Submission.objects.update(feedback=Feedback.NONE)
            report = api_as(room.staff).get(f"/api/v1/submissions/{submission.pk}/").json()
            said = [test["stdout"] + test["stderr"] for test in report["tests"][1:]]
            assert all(words_in(text) & room.hidden for text in said)

    @pytest.mark.parametrize("attack", named("l02"))
    def test_control_a_file_in_the_compiler_s_reach_is_told(
        self, machine: Machine, attack: Attack, api_as: ApiAs
    ) -> None:
        room = classroom()
        room.hand_in(attack.language, attack.source.replace("@PLANTED@", str(machine.directory)))
        judge_next(CodeExecutorService(WeakEngine(argv=with_bind(str(machine.directory)))))
        assert words_in(all_that(api_as(room.student))) & machine.words

    @pytest.mark.parametrize("name", ["l01_walk.py", "l01_walk.js"])
    def test_a_free_run_finds_no_more(self, machine: Machine, name: str, api_as: ApiAs) -> None:
        room = classroom()
        attack = attack_named(name)
        body = {"language": attack.language, "code": attack.source, "stdin": plant("own")}
        answer = api_as(room.student).post("/api/v1/runs/", body)
        assert (answer.status_code, words_in(answer.content)) == (200, set())
        assert "looked into" in answer.json()["stderr"]
        answer = api_as(room.student).post(f"/api/v1/problems/{room.problem.pk}/run-samples/", body | {"stdin": ""})
        assert answer.status_code == 422
        del body["stdin"]
        answer = api_as(room.student).post(f"/api/v1/problems/{room.problem.pk}/run-samples/", body)
        assert (answer.status_code, words_in(answer.content) - room.sample) == (200, set())


SAID = {
    "stderr": "import sys\nsys.exit('{word} ' + open(sys.argv[2]).read())",
    "judge message": (
        "import sys\nopen(sys.argv[3] + '/judgemessage.txt', 'w').write('{word} ' + open(sys.argv[2]).read())\n"
        "sys.exit(43)"
    ),
    "team message": (
        "import sys\nopen(sys.argv[3] + '/teammessage.txt', 'w').write('{word} ' + open(sys.argv[2]).read())\n"
        "sys.exit(42 if 'sample' in open(sys.argv[2]).read() else 43)"
    ),
    "syntax": "import sys\ndef {word}",
    "compile error": "int main(void) {{ return '{word}' }}",
}


@pytest.mark.django_db
class CheckerTestCase:
    """L-05 and L-06: neither a checker's text nor what it says of hidden tests reaches a student."""

    @pytest.mark.parametrize("where", SAID)
    def test_what_a_checker_knows_stays_with_the_staff(
        self, service: CodeExecutorService, where: str, api_as: ApiAs
    ) -> None:
        room, word = classroom(checker="custom"), plant("checker")
        TestSet.objects.update(
            checker_language="c" if where == "compile error" else "python",
            checker_source=f"{SAID[where].format(word=word)}\n",
        )
        submission = room.hand_in("python", "print(input())")
        submission = judge_next(service)
        for feedback in (Feedback.NONE, Feedback.SAMPLES, Feedback.VERDICTS):
            Submission.objects.update(feedback=feedback)
            told = words_in(all_that(api_as(room.student)))
            assert not told & room.hidden
            # What it says to the student of a sample is meant for them.
            assert (word in told) == (where == "team message" and feedback != Feedback.NONE)
        body = {"language": "python", "code": "print(input())"}
        answer = api_as(room.student).post(f"/api/v1/problems/{room.problem.pk}/run-samples/", body)
        assert (word in words_in(answer.content)) == (where == "team message")
        # The control: it was said.
        kept = str(Judgement.objects.values_list("fault", "test_results__message", "test_results__judge_message"))
        assert word in words_in(kept) or where == "syntax"
        assert (submission.status == Verdict.INTERNAL_ERROR) == ("message" not in where)

    def test_nor_does_what_an_engine_stumbled_over(self, api_as: ApiAs, monkeypatch: pytest.MonkeyPatch) -> None:
        room, word = classroom(), plant("fault")

        def away(*args: object) -> None:
            raise EngineUnavailable(f"{word} at /var/lib/assay")

        monkeypatch.setattr("executor.engines.sandbox.SandboxEngine.run", away)
        room.hand_in("python", "print(1)")
        judge_next(CodeExecutorService(SandboxEngine()))
        assert Judgement.objects.get().fault.startswith(word)
        body = {"language": "python", "code": "print(1)"}
        student = api_as(room.student)
        answers = [
            student.post("/api/v1/runs/", body),
            student.post(f"/api/v1/problems/{room.problem.pk}/run-samples/", body),
        ]
        assert [answer.status_code for answer in answers] == [503, 503]
        told = all_that(student) + "".join(answer.content.decode() for answer in answers)
        assert (word in told, "/var/lib/assay" in told) == (False, False)


# What differs between two submissions whatever they hold. The whole's figures are in OracleTestCase.
OWN_FIELDS = ("id", "problem", "user", "received_at", "time_ms", "memory_kib")


def report_of(client: APIClient, submission: Submission) -> dict[str, Any]:
    """A submission's report without what names it, and without figures."""
    answer = client.get(f"/api/v1/submissions/{submission.pk}/")
    assert answer.status_code == 200
    report: dict[str, Any] = {key: value for key, value in answer.json().items() if key not in OWN_FIELDS}
    for test in report["tests"]:
        del test["time_ms"], test["memory_kib"]
    return report | {"headers": sorted(set(answer.headers) - {"Content-Length", "X-Request-Id"})}


@pytest.mark.django_db
class SameAnswerTestCase:
    """L-06 and L-09: with the same verdicts, a report is the same to the letter, whatever the hidden tests hold."""

    @pytest.mark.parametrize("feedback", [Feedback.NONE, Feedback.SAMPLES, Feedback.VERDICTS, Feedback.FULL])
    def test_a_report_tells_nothing_of_hidden_tests_but_their_verdicts(
        self, service: CodeExecutorService, feedback: Submission.Feedback, api_as: ApiAs
    ) -> None:
        reports = []
        for size in (1, 3000):
            room = classroom()
            for case in room.problem.test_sets.get().test_cases.all():
                # The sample stays the same, the hidden ones do not.
                given = "sample" if case.is_sample else " ".join([case.input] * size)
                case.input, case.expected_output = given, given[::-1]
                case.save()
            room.hand_in("python", attack_named("l03_echo.py").source, feedback=feedback)
            reports.append(report_of(api_as(room.student), judge_next(service)))
        # The control is `full`, under which the same comparison finds the difference.
        assert (reports[0] == reports[1]) == (feedback != Feedback.FULL)


def endings() -> Iterator[RunResult]:
    """All the ways in which a run of a hidden test may end, with all that a program may choose to leave."""
    yield run_result(b"right")
    for text in (b"", b"wrong", b"PLANTED", bytes(range(256))):
        yield run_result(text)
        yield replace(run_result(text, exit_code=1), stderr=text)
    for code in (2, 42, 43, 127, 255):
        yield run_result(exit_code=code)
    for number in (6, 8, 9, 11, 24, 31):
        yield replace(run_result(status=RunStatus.SIGNALED, exit_code=None), signal=number)
    for status in (RunStatus.TIME_LIMIT, RunStatus.WALL_LIMIT, RunStatus.MEMORY_LIMIT, RunStatus.OUTPUT_LIMIT):
        for text in (b"", b"much"):
            yield replace(run_result(text, status=status, exit_code=None), stderr=text, wall_ms=len(text) + 1)


def ended(hidden: bytes, ending: RunResult, stdin: bytes) -> RunResult:
    """A run that is right, but on the hidden input."""
    return ending if stdin == hidden else run_result(b"right")


@pytest.mark.django_db
class OracleTestCase:
    """L-04: how much one submission can tell of what is hidden, measured: the reports that can be told apart."""

    BITS = {Feedback.NONE: 0.0, Feedback.SAMPLES: 0.0, Feedback.VERDICTS: log2(6)}

    @pytest.mark.parametrize("feedback", [*BITS, Feedback.FULL])
    def test_bits_of_a_hidden_test_in_one_report(self, feedback: Submission.Feedback, api_as: ApiAs) -> None:
        room = classroom()
        room.problem.test_sets.get().test_cases.update(expected_output="right")
        hidden, *others = room.problem.test_sets.get().test_cases.filter(is_sample=False)
        reports, tried = set(), list(endings())
        for ending in tried:
            engine = ScriptedEngine(partial(ended, hidden.input.encode(), ending))
            room.hand_in("python", "print(1)", feedback=feedback)
            reports.add(str(report_of(api_as(room.student), judge_next(CodeExecutorService(engine)))))
        measured = log2(len(reports))
        if feedback == Feedback.FULL:
            assert measured > log2(len(tried)) - 1  # the control: nearly every ending can be told from the others
        else:
            assert (len(others), measured) == (1, self.BITS[feedback])

    @pytest.mark.parametrize("feedback", Feedback)
    def test_figures_of_hidden_tests_are_told_once_for_the_whole_or_not_at_all(
        self, feedback: Submission.Feedback, api_as: ApiAs
    ) -> None:
        """Beside its verdicts, a report under `verdicts` has two numbers that hidden tests move: the highest time and
        the highest memory. They cannot carry more than the limits have steps of 10 ms and 1 MiB.
        """
        room = classroom()
        hidden = room.problem.test_sets.get().test_cases.filter(is_sample=False)
        figures = {case.input.encode(): 1000 + number for number, case in enumerate(hidden)}
        engine = ScriptedEngine(
            lambda stdin: replace(run_result(b"x"), time_ms=figures.get(stdin, 7), memory_kib=figures.get(stdin, 7))
        )
        room.hand_in("python", "print(1)", feedback=feedback)
        submission = judge_next(CodeExecutorService(engine))
        report = api_as(room.student).get(f"/api/v1/submissions/{submission.pk}/").json()
        told = [report, *report["tests"]]
        seen = [(one["time_ms"], one["memory_kib"]) for one in told if one["time_ms"] is not None]
        sample, coarse, whole = (7, 7), (1010, 1024), (1001, 1001)
        told_under = {
            Feedback.NONE: [],
            Feedback.SAMPLES: [sample],
            Feedback.VERDICTS: [coarse, sample],
            Feedback.FULL: [whole, sample, (1000, 1000), (1001, 1001)],  # the control
        }
        assert seen == told_under[feedback]

    @pytest.mark.parametrize("name", ["l04_oracle.py", "l04_oracle.c"])
    def test_a_real_oracle_reads_digits_under_verdicts_and_nothing_under_less(
        self, service: CodeExecutorService, name: str, api_as: ApiAs
    ) -> None:
        digits = {
            "wrong_answer": 0,
            "runtime_error": 1,
            "time_limit_exceeded": 2,
            "memory_limit_exceeded": 3,
            "output_limit_exceeded": 4,
        }
        attack = attack_named(name)
        told: dict[str, list[str]] = {feedback: [] for feedback in self.BITS}
        for hidden in ([3, 1], [4, 2]):
            room = classroom(time_limit_ms=attack.limits.time_limit_ms, memory_limit_mb=attack.limits.memory_limit_mb)
            for case, digit in zip(room.problem.test_sets.get().test_cases.all(), [0, *hidden], strict=True):
                case.input, case.expected_output = str(digit), "another"
                case.save()
            room.hand_in(attack.language, attack.source)
            submission = judge_next(service)
            for feedback in self.BITS:
                Submission.objects.filter(pk=submission.pk).update(feedback=feedback)
                report = report_of(api_as(room.student), submission)
                told[feedback].append(str(report))
                if feedback == Feedback.VERDICTS:
                    assert [digits[test["verdict"]] for test in report["tests"][1:]] == hidden
        same = {feedback for feedback, (one, other) in told.items() if one == other}
        assert same == {Feedback.NONE, Feedback.SAMPLES}
