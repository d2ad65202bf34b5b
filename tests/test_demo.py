"""The demo: its course in the database, its programs, and `script/demo` from beginning to end."""

import json
import re
import signal
import stat
import subprocess
from collections import Counter
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts.errors import TokenRevoked
from accounts.models import Organization, User
from accounts.services import token_obtain, token_refresh
from courses.models import Course, Enrollment, Problem, TestCase, TestSet
from courses.selectors import current_test_set
from executor.demo.loading import CONTENT, demo_load
from executor.judging.verdicts import Verdict
from script.demo_client import DemoFailed, Outcome, Program, read_programs, table
from script.run_demo import PROGRAMS
from tests.accounts.factories import UserFactory
from tests.shell import PYTHON, ROOT, clean_environment, run, wait_until

CORE_LANGUAGES = {"python", "c", "cpp", "java", "javascript"}
TWO_PROGRAMS = """
[[programs]]
problem = "sum-of-two"
language = "python"
expected = "accepted"
code = "print(sum(map(int, input().split())))"

[[programs]]
problem = "sum-of-two"
language = "python"
expected = "{second}"
code = "print(5)"
"""


@pytest.fixture
def quick_hashing(settings: Settings) -> None:
    """Hashing passwords slowly is not what is tested."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.mark.django_db
@pytest.mark.usefixtures("quick_hashing")
class TestLoading:
    def test_it_makes_a_course_with_everything_in_it(self) -> None:
        demo = demo_load()
        course = Course.objects.get(pk=demo.course_id)
        assert course.status == Course.Status.PUBLISHED
        assert {user.role for user in demo.users} == {"owner", "instructor", "assistant", "student"}
        assert 4 <= course.problems.count() == len(demo.problem_ids)
        placed = Problem.objects.filter(chapters__course=course)
        assert set(placed) == set(course.problems.all())
        assert {problem.type for problem in placed} == set(Problem.Type)
        for problem in placed.filter(type=Problem.Type.ALGORITHM):
            test_set = current_test_set(problem)
            assert test_set is not None
            assert test_set.test_cases.filter(is_sample=True).exists()
            assert test_set.test_cases.filter(is_sample=False).exists()

    def test_its_student_sees_the_problems_and_is_no_staff(self) -> None:
        demo = demo_load()
        student = User.objects.get(username="demo-student")
        assert Problem.objects.visible_to(student).count() == len(demo.problem_ids)
        assert not Course.objects.staffed_by(student).exists()
        assert Course.objects.staffed_by(User.objects.get(username="demo-assistant")).exists()

    def test_loading_again_makes_nothing_twice(self) -> None:
        def counts() -> list[int]:
            return [model.objects.count() for model in (User, Organization, Course, Enrollment, TestSet, TestCase)]

        first = demo_load()
        before = counts()
        assert demo_load().problem_ids == first.problem_ids
        assert counts() == before

    def test_loading_again_brings_what_was_changed_back_and_keeps_old_tests(self) -> None:
        problem = Problem.objects.get(pk=demo_load().problem_ids["sum-of-two"])
        Problem.objects.filter(pk=problem.pk).update(title="Spoiled", status=Problem.Status.DRAFT)
        TestCase.objects.filter(test_set__problem=problem, order=0).update(expected_output="6\n")
        demo_load()
        problem.refresh_from_db()
        assert (problem.title, problem.status) == ("Sum of two numbers", "published")
        assert [test_set.version for test_set in problem.test_sets.order_by("version")] == [1, 2]

    def test_passwords_are_new_each_time_and_end_what_was_signed_in(self) -> None:
        first = {user.username: user.password for user in demo_load().users}
        pair = token_obtain(name="demo-student", password=first["demo-student"])
        second = {user.username: user.password for user in demo_load().users}
        assert not set(first.values()) & set(second.values())
        assert token_obtain(name="demo-student", password=second["demo-student"])
        with pytest.raises(TokenRevoked):
            token_refresh(refresh=pair.refresh)

    def test_somebody_who_has_the_name_already_is_left_alone(self) -> None:
        person = UserFactory(username="Demo-Student", password="theirs")
        with pytest.raises(CommandError, match="demo-student belongs to somebody else"):
            call_command("load_demo", stdout=StringIO())
        person.refresh_from_db()
        assert person.password == "theirs"
        assert User.objects.count() == 1
        assert not Course.objects.exists()

    def test_the_command_prints_what_one_signs_in_with(self) -> None:
        out = StringIO()
        call_command("load_demo", stdout=out)
        found = re.search(r"demo-student\s+password (\S+)", out.getvalue())
        assert found is not None
        assert token_obtain(name="demo-student", password=found[1])

    def test_the_file_is_for_its_owner_alone_and_nothing_is_printed(self, tmp_path: Path) -> None:
        path, out = tmp_path / "demo.json", StringIO()
        path.write_text("old")
        path.chmod(0o644)
        call_command("load_demo", "--json", str(path), stdout=out)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert json.loads(path.read_text())["problem_ids"].keys() >= {"sum-of-two", "fibonacci"}
        assert out.getvalue() == ""


class TestPrograms:
    """What the demo shows, as far as the list of programs decides it."""

    def test_every_language_and_every_verdict_it_is_to_show(self) -> None:
        programs = read_programs(PROGRAMS)
        assert len(programs) >= 12
        assert {program.language for program in programs} == CORE_LANGUAGES
        shown = Counter(program.expected for program in programs)
        assert {
            Verdict.ACCEPTED,
            Verdict.WRONG_ANSWER,
            Verdict.TIME_LIMIT_EXCEEDED,
            Verdict.MEMORY_LIMIT_EXCEEDED,
            Verdict.RUNTIME_ERROR,
            Verdict.COMPILATION_ERROR,
        } == shown.keys()
        assert {program.language for program in programs if program.expected == "accepted"} == CORE_LANGUAGES
        assert any("files" in program.source for program in programs)

    def test_function_problems_are_answered_in_both_languages(self) -> None:
        content = CONTENT.read_text()
        functions = {
            slug for slug in re.findall(r'^slug = "([a-z-]+)"$', content, re.MULTILINE)
            if "entry_point" in content.split(f'slug = "{slug}"')[1].split("[[problems]]")[0]
        }  # fmt: skip
        answered = {program.language for program in read_programs(PROGRAMS) if program.problem in functions}
        assert answered == {"python", "javascript"}

    @pytest.mark.parametrize("content", ["not toml", "[[programs]]\nproblem = 'x'\n", "other = 1\n"])
    def test_a_list_that_cannot_be_read_is_named(self, tmp_path: Path, content: str) -> None:
        path = tmp_path / "programs.toml"
        path.write_text(content)
        with pytest.raises(DemoFailed, match=str(path)):
            read_programs(path)


class TestTable:
    def test_a_verdict_that_is_not_the_expected_one_stands_out(self) -> None:
        program = Program(problem="sum", language="c", expected="accepted", source={"code": ""})
        right = Outcome(program=program, given="accepted", time_ms=3, memory_kib=1536)
        wrong = Outcome(program=program, given="internal_error", time_ms=None, memory_kib=None)
        head, rule, first, second = table([right, wrong])
        assert head.split() == ["problem", "language", "expected", "given", "time", "memory", "ok"]
        assert set(rule) == {"-", " "}
        assert first.split() == ["sum", "c", "accepted", "accepted", "3", "ms", "1.5", "MiB", "yes"]
        assert second.split() == ["sum", "c", "accepted", "internal_error", "-", "-", "NO"]


class TestScript:
    """`script/demo` for real, with few programs: a database, a server, HTTP, the sandbox."""

    def test_once_it_ends_well_where_all_is_as_expected(self, tmp_path: Path) -> None:
        (tmp_path / "few.toml").write_text(TWO_PROGRAMS.format(second="wrong_answer"))
        left = self.temporary(tmp_path)
        done = run(
            *(ROOT / "script/demo", "--once", "--programs", "few.toml"),
            cwd=tmp_path,
            environment=clean_environment(TMPDIR=str(left)),
        )
        assert done.returncode == 0, done.stdout
        assert "2 of 2 programs got the verdict they must get" in done.stdout
        assert not list(left.iterdir())

    def test_once_it_ends_with_1_where_something_is_not(self, tmp_path: Path) -> None:
        (tmp_path / "few.toml").write_text(TWO_PROGRAMS.format(second="accepted"))
        # Settings of a production left in the environment are not the demo's.
        environment = clean_environment(DATABASE_URL="postgres://nobody@127.0.0.1:1/none", ASSAY_PRODUCTION="1")
        done = run(ROOT / "script/demo", "--once", "--programs", tmp_path / "few.toml", environment=environment)
        assert done.returncode == 1, done.stdout
        assert "1 of 2 programs" in done.stdout
        assert re.search(r"accepted +wrong_answer .* NO$", done.stdout, re.MULTILINE)

    @pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 128 + signal.SIGTERM)])
    def test_it_stays_until_it_is_stopped_and_takes_its_server_along(
        self, tmp_path: Path, number: signal.Signals, code: int
    ) -> None:
        (tmp_path / "few.toml").write_text(TWO_PROGRAMS.format(second="wrong_answer"))
        log, left = tmp_path / "log", self.temporary(tmp_path)
        with log.open("w") as output:
            demo = subprocess.Popen(
                [ROOT / "script/demo", "--programs", tmp_path / "few.toml"],
                env=clean_environment(TMPDIR=str(left)),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            wait_until(lambda: "Ctrl-C stops it" in log.read_text() or demo.poll() is not None, what="it is up")
            children = run("pgrep", "-P", str(demo.pid)).stdout.split()
            assert len(children) == 1
            assert re.search(r"student +demo-student +password \S{12,}", log.read_text())
        finally:
            demo.send_signal(number)
        assert demo.wait(timeout=30) == code
        assert not Path(f"/proc/{children[0]}").exists()
        assert not list(left.iterdir())

    def test_a_language_that_is_not_there_is_left_out(self, tmp_path: Path) -> None:
        java = TWO_PROGRAMS.format(second="wrong_answer").replace('language = "python"', 'language = "java"', 1)
        (tmp_path / "few.toml").write_text(java)
        (tmp_path / "nothing").touch()
        # A machine whose Java compiler is no program. Not through script/demo: as root that would install one.
        machine = ("bwrap", "--dev-bind", "/", "/", "--ro-bind", tmp_path / "nothing", Path("/usr/bin/javac").resolve())
        demo = (PYTHON, "-m", "script.run_demo", "--once", "--programs", tmp_path / "few.toml")
        done = run(*machine, *demo)
        assert done.returncode == 0, done.stdout
        assert "Left out, not on this machine: java" in done.stdout
        assert "1 of 1 programs" in done.stdout

    def test_a_list_it_cannot_read_ends_it_at_once(self, tmp_path: Path) -> None:
        done = run(ROOT / "script/demo", "--once", "--programs", tmp_path / "missing.toml")
        assert done.returncode == 1
        assert "missing.toml cannot be read" in done.stdout

    def temporary(self, tmp_path: Path) -> Path:
        folder = tmp_path / "temporary"
        folder.mkdir()
        return folder
