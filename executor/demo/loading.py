"""Putting the demo course of `course.toml` into the database."""

import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from accounts.models import Membership, Organization, User
from accounts.services import organization_create, token_families_revoke, user_create
from core.errors import Conflict
from courses.answer_keys import ChoiceSpec, FillBlankSpec, blank_from
from courses.authoring import AlgorithmSpec
from courses.models import Course, Enrollment, Problem
from courses.rules.unlocking import RequiresMode
from courses.selectors import current_test_set
from courses.services import (
    chapter_create,
    chapter_unlocking_update,
    chapterproblem_place,
    course_create,
    enrollment_create,
    problem_create,
    problem_update,
    testset_create,
)
from courses.testdata import TestCaseSpec
from executor.judging.languages import LANGUAGES
from executor.services.languages import missing_for
from executor.services.reference_solutions import UNNAMED, referencesolution_create, referencesolution_update

CONTENT = Path(__file__).parent / "course.toml"
# A domain nobody can own (RFC 2606): whoever has this address came from here.
EMAIL_DOMAIN = "assay-demo.example"
SOLUTION_LANGUAGE = "python"
SPECS: Mapping[str, Any] = {"algorithm": AlgorithmSpec, "choice": ChoiceSpec, "fillblank": FillBlankSpec}


class UsernameTaken(Conflict):
    """A person has the username of one of the demo's users."""

    code = "username_taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoUser:
    """One of the demo's users, with a password of this load."""

    username: str
    password: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedDemo:
    """What was loaded; `problem_ids` goes by slug."""

    course_id: int
    problem_ids: Mapping[str, int]
    users: tuple[DemoUser, ...]


@transaction.atomic
def demo_load(content: Path = CONTENT) -> LoadedDemo:
    """Load the demo course, or bring a loaded one up to date; its users get new passwords each time.

    What students handed in stays: changed tests become a new version.

    Raises:
        UsernameTaken: somebody else has the username of a demo user; nothing was changed.
    """
    wanted = tomllib.loads(content.read_text(encoding="utf-8"))
    people = {person["username"]: _user(person) for person in wanted["users"]}
    owner = next(people[person["username"]][0] for person in wanted["users"] if person["role"] == "owner")
    course = _course(owner, wanted)
    for person in wanted["users"]:
        user, _ = people[person["username"]]
        if person["role"] != "owner" and not Enrollment.objects.active().filter(course=course, user=user).exists():
            enrollment_create(actor=owner, course_id=course.pk, user=user.username, role=person["role"])
    problems = {problem["slug"]: _problem(owner, course, problem) for problem in wanted["problems"]}
    for chapter in wanted["chapters"]:
        _chapter(owner, course, chapter, problems)
    return LoadedDemo(
        course_id=course.pk,
        problem_ids={slug: problem.pk for slug, problem in problems.items()},
        users=tuple(
            DemoUser(username=person["username"], password=people[person["username"]][1], role=person["role"])
            for person in wanted["users"]
        ),
    )


def _user(wanted: Mapping[str, Any]) -> tuple[User, str]:
    username, email = wanted["username"], f"{wanted['username']}@{EMAIL_DOMAIN}"
    password = secrets.token_urlsafe(12)
    user = User.objects.named(username)
    if user is None:
        return user_create(
            username=username, email=email, password=password, display_name=wanted["display_name"]
        ), password
    # A person who happens to have the name must not find their password changed.
    if user.email != email:
        raise UsernameTaken(f"The username {username} belongs to somebody else here, so the demo cannot be loaded.")
    user.set_password(password)
    user.save(update_fields=["password"])
    token_families_revoke(user_id=user.pk)
    return user, password


def _course(owner: User, wanted: Mapping[str, Any]) -> Course:
    organization = Organization.objects.filter(
        name=wanted["organization"]["name"], memberships__user=owner, memberships__role=Membership.Role.OWNER
    ).first() or organization_create(name=wanted["organization"]["name"], owner=owner)
    found = Course.objects.filter(organization=organization, slug=wanted["course"]["slug"]).first()
    return found or course_create(
        actor=owner, organization_id=organization.pk, status=Course.Status.PUBLISHED, **wanted["course"]
    )


def _problem(owner: User, course: Course, wanted: Mapping[str, Any]) -> Problem:
    kind = wanted.get("type", Problem.Type.ALGORITHM)
    fields = {name: wanted[name].strip() for name in ("title", "statement")} | {
        "difficulty": wanted["difficulty"],
        "status": Problem.Status.PUBLISHED,
    }
    part = wanted[kind]
    if kind == Problem.Type.FILLBLANK:
        part = {"text": part["text"].strip(), "blanks": tuple(blank_from(blank) for blank in part["blanks"])}
    problem = Problem.objects.filter(course=course, slug=wanted["slug"]).first()
    if problem is None:
        spec = {kind: SPECS[kind](**part)}
        problem = problem_create(actor=owner, course_id=course.pk, slug=wanted["slug"], type=kind, **spec, **fields)
    else:
        problem_update(actor=owner, problem_id=problem.pk, **{kind: part}, **fields)
    if kind == Problem.Type.ALGORITHM:
        tests = [TestCaseSpec(**_renamed(test)) for test in wanted["tests"]]
        if _tests_of(problem) != tests:
            testset_create(actor=owner, problem_id=problem.pk, test_cases=tests)
        _solution(owner, problem, wanted["solution"])
    return problem


def _solution(owner: User, problem: Problem, code: str) -> None:
    """The problem's reference solution, unless this server cannot run what it is written in."""
    if missing_for(LANGUAGES[SOLUTION_LANGUAGE]):
        return
    found = problem.reference_solutions.filter(language=SOLUTION_LANGUAGE, name=UNNAMED).first()
    if found is None:
        referencesolution_create(actor=owner, problem_id=problem.pk, language=SOLUTION_LANGUAGE, code=code)
    else:
        referencesolution_update(actor=owner, solution_id=found.pk, code=code)


def _renamed(test: Mapping[str, Any]) -> dict[str, Any]:
    return {"is_sample" if name == "sample" else name: value for name, value in test.items()}


def _tests_of(problem: Problem) -> list[TestCaseSpec]:
    test_set = current_test_set(problem)
    cases = test_set.test_cases.all() if test_set is not None else []
    return [
        TestCaseSpec(
            input=case.input,
            expected_output=case.expected_output,
            is_sample=case.is_sample,
            weight=case.weight,
            group=case.group,
        )
        for case in cases
    ]


def _chapter(owner: User, course: Course, wanted: Mapping[str, Any], problems: Mapping[str, Problem]) -> None:
    chapter = course.chapters.filter(title=wanted["title"]).first() or chapter_create(
        actor=owner, course_id=course.pk, title=wanted["title"], description=wanted["description"]
    )
    placed = set(chapter.placements.values_list("problem_id", flat=True))
    for slug in wanted["problems"]:
        if problems[slug].pk not in placed:
            chapterproblem_place(actor=owner, chapter_id=chapter.pk, problem_id=problems[slug].pk)
    chapter_unlocking_update(
        actor=owner,
        chapter_id=chapter.pk,
        requires=[("problem", problems[slug].pk) for slug in wanted.get("requires", ())],
        mode=RequiresMode.ALL,
        unlock_at=None,
        due_at=None,
    )
