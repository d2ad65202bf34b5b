"""Whose turn it is: a flood lengthens the wait of others to twice at most, and comes through itself."""

import random
from collections.abc import Sequence
from statistics import mean

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import User
from courses.models import Problem
from executor.models import Judgement, Submission
from executor.queue.claims import claim_next
from executor.services import submissions
from executor.services.queueing import Place, place_of, standing_of
from tests.accounts.factories import OrganizationFactory, UserFactory
from tests.courses.factories import AlgorithmProblemFactory, CourseFactory, EnrollmentFactory
from tests.executor.databases import submit
from tests.executor.factories import SubmissionFactory
from tests.executor.queue_model import PlainQueue, Step, waits

pytestmark = pytest.mark.django_db

FLOOD = 200
FLOODER = 0


@pytest.fixture(autouse=True)
def no_quotas(settings: Settings) -> None:
    """Fairness has to hold where nothing else stops a flood."""
    settings.EXECUTOR_PENDING_PER_STUDENT = settings.EXECUTOR_SUBMISSIONS_PER_MINUTE = 10_000
    settings.EXECUTOR_SUBMISSIONS_PER_PROBLEM_HOUR = settings.EXECUTOR_QUEUE_CAPACITY = 10_000


def student_of(problem: Problem) -> User:
    return EnrollmentFactory(course=problem.course).user


def flood(user: User, problem: Problem, number: int = FLOOD) -> None:
    for _ in range(number):
        submit(user, problem)


def positions(students: Sequence[User]) -> list[int]:
    """How many judgements the workers take before that of each, and itself. Nobody takes more than it needs to know."""
    found: dict[int, int] = {}
    wanted = {student.pk for student in students}
    taken = 0
    while not wanted <= found.keys():
        claim = claim_next()
        assert claim is not None
        taken += 1
        found.setdefault(Judgement.objects.values_list("student_id", flat=True).get(pk=claim.judgement_id), taken)
    return [found[student.pk] for student in students]


class TestFlood:
    def test_of_one_student_delays_the_others_of_the_organization_twice_at_most(self, problem: Problem) -> None:
        flooder = student_of(problem)
        others = [student_of(problem) for _ in range(12)]
        flood(flooder, problem)
        for student in others:
            submit(student, problem)
        found = positions(others)
        # Without the flood they would be taken first, second, third...
        assert all(position <= 2 * (usual + 1) for usual, position in enumerate(found)), found

    def test_of_one_student_delays_another_organization_twice_at_most(self, problem: Problem) -> None:
        flooder = student_of(problem)
        elsewhere = AlgorithmProblemFactory().problem
        others = [student_of(elsewhere) for _ in range(12)]
        flood(flooder, problem)
        for student in others:
            submit(student, elsewhere)
        found = positions(others)
        assert all(position <= 2 * (usual + 1) for usual, position in enumerate(found)), found

    def test_while_it_is_worked_off_the_next_ones_go_before_the_rest_of_it(self, problem: Problem) -> None:
        flooder = student_of(problem)
        flood(flooder, problem, 60)
        for _ in range(20):
            claim_next()
        others = [student_of(problem) for _ in range(5)]
        for student in others:
            submit(student, problem)
        found = positions(others)
        assert all(position <= 2 * (usual + 1) for usual, position in enumerate(found)), found

    def test_of_a_whole_organization_delays_another_one_twice_at_most(self, problem: Problem) -> None:
        for _ in range(60):
            submit(student_of(problem), problem)
        elsewhere = AlgorithmProblemFactory().problem
        others = [student_of(elsewhere) for _ in range(8)]
        for student in others:
            submit(student, elsewhere)
        found = positions(others)
        assert all(position <= 2 * (usual + 1) for usual, position in enumerate(found)), found

    @pytest.mark.parametrize("is_elsewhere", [False, True], ids=["same organization", "another"])
    def test_several_at_once_delay_by_as_many_as_they_are(self, problem: Problem, is_elsewhere: bool) -> None:
        flooders = [student_of(problem) for _ in range(3)]
        for flooder in flooders:
            flood(flooder, problem, 50)
        where = AlgorithmProblemFactory().problem if is_elsewhere else problem
        others = [student_of(where) for _ in range(10)]
        for student in others:
            submit(student, where)
        found = positions(others)
        assert all(position <= 4 * (usual + 1) for usual, position in enumerate(found)), found

    def test_one_student_s_own_are_taken_in_their_order(self, problem: Problem) -> None:
        flooder, other = student_of(problem), student_of(problem)
        flood(flooder, problem, 30)
        submit(other, problem)
        for _ in range(15):
            claim_next()
        # What is handed in with half of the flood gone does not overtake the other half.
        flood(flooder, problem, 10)
        order = list(
            Judgement.objects.filter(state="pending", student_id=flooder.pk)
            .order_by("virtual_start", "pk")
            .values_list("pk", flat=True)
        )
        assert order == sorted(order)

    def test_control_by_age_alone_everybody_waits_for_the_flood(
        self, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(submissions, "place_of", lambda standing, **_: Place(virtual_start=0, turn=0))
        flooder, other = student_of(problem), student_of(problem)
        flood(flooder, problem, 40)
        submit(other, problem)
        assert positions([other]) == [41]


class TestPlace:
    def test_what_came_back_after_a_fault_does_not_put_the_next_before_those_who_wait(self, problem: Problem) -> None:
        old, *fresh = (SubmissionFactory(problem=problem).current_judgement for _ in range(4))
        Judgement.objects.filter(pk=old.pk).update(virtual_start=3, faults=1)
        Judgement.objects.filter(pk__in=[each.pk for each in fresh]).update(virtual_start=1000)
        judgement = submit(student_of(problem), problem).current_judgement
        assert judgement is not None
        assert judgement.virtual_start >= 1000

    def test_what_came_back_after_a_fault_is_not_overtaken_for_ever(self, problem: Problem) -> None:
        """All others are done, so that the front would begin anew."""
        old = SubmissionFactory(problem=problem).current_judgement
        Judgement.objects.filter(pk=old.pk).update(virtual_start=1000, faults=1)
        judgement = submit(student_of(problem), problem).current_judgement
        assert judgement is not None
        assert judgement.virtual_start >= 1000

    def test_it_knows_whose_it_is(self, problem: Problem) -> None:
        student = student_of(problem)
        submit(student, problem)
        judgement = submit(student, problem).current_judgement
        assert judgement is not None
        assert (judgement.student_id, judgement.course_id) == (student.pk, problem.course_id)
        assert (judgement.organization_id, judgement.turn) == (problem.course.organization_id, 1)

    def test_the_number_of_queries_does_not_grow(
        self, problem: Problem, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        student = student_of(problem)
        for expected in (1, 30):
            flood(student, problem, expected)
            claim_next()
            with django_assert_num_queries(2):
                place_of(standing_of(student.pk), organization_id=problem.course.organization_id)


# Half of what is handed in comes from the student who floods.
HANDED_IN = st.one_of(
    st.just((FLOODER, 0)), st.tuples(st.integers(1, 3), st.just(0)), st.tuples(st.integers(4, 6), st.just(1))
)


class TestModel(TestCase):
    """What is played on paper below is what the database does."""

    @hypothesis_settings(max_examples=40)
    @given(st.lists(st.one_of(st.none(), HANDED_IN), max_size=25))
    def test_it_gives_the_places_that_the_database_gives(self, story: list[Step]) -> None:
        problems = [
            AlgorithmProblemFactory(problem__course=CourseFactory(organization=OrganizationFactory())).problem
            for _ in range(2)
        ]
        students = [UserFactory() for _ in range(7)]
        plain = PlainQueue()
        for step in story:
            if step is None:
                # The one worker is done with what it had.
                Judgement.objects.filter(state="claimed").update(
                    state="done", verdict="accepted", claim_id=None, leased_until=None
                )
                claim, entry = claim_next(), plain.take()
                assert (claim is None) is (entry is None)
                if claim is not None and entry is not None:
                    row = Judgement.objects.get(pk=claim.judgement_id)
                    assert (row.student_id, row.virtual_start) == (students[entry.student].pk, entry.virtual_start)
            else:
                student, organization = step
                problem = problems[organization]
                submission = Submission.objects.create(
                    problem=problem, user=students[student], language="python", files=[], received_at=timezone.now()
                )
                entry = plain.submit(student, organization)
                judgement = submissions.judgement_create(submission=submission, test_set=problem.test_sets.get())
                assert (judgement.virtual_start, judgement.turn) == (entry.virtual_start, entry.turn)


def busy_story(rng: random.Random, *, organizations: int, load: float, steps: int = 400) -> list[Step]:
    """Students who keep coming, each with one program, and one who floods again and again."""
    story: list[Step] = []
    student = FLOODER
    for step in range(steps):
        if rng.random() < load:
            student += 1
            story.append((student, rng.randrange(organizations)))
        if step % 50 == 20:
            story += [(FLOODER, 0)] * 40
        story.append(None)
    return story


class TestOnPaper:
    @hypothesis_settings(max_examples=30)
    @given(before=st.integers(1, 200), others=st.integers(1, 40), organization=st.integers(0, 1))
    def test_a_flood_before_everybody_else(self, before: int, others: int, organization: int) -> None:
        flood: list[Step] = [(FLOODER, 0)] * before
        story = [*flood, *((number, organization) for number in range(1, others + 1))]
        with_flood, usual = waits(story), waits(story, without=FLOODER)
        assert all(with_flood[each] <= 2 * usual[each] for each in usual)

    @pytest.mark.parametrize("organizations", [1, 2, 5])
    @pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
    def test_those_who_keep_coming_wait_twice_as_long_at_most(self, organizations: int, load: float) -> None:
        with_flood: list[int] = []
        usual: list[int] = []
        for seed in range(4):
            story = busy_story(random.Random(seed), organizations=organizations, load=load)
            without = waits(story, without=FLOODER)
            found = waits(story)
            usual += without.values()
            with_flood += [found[each] for each in without]
        assert mean(with_flood) <= 2 * mean(usual)

    def test_control_by_age_alone_they_wait_far_longer(self) -> None:
        story = busy_story(random.Random(1), organizations=1, load=0.6)
        without = waits(story, without=FLOODER)
        found = waits(story, is_fair=False)
        assert mean(found[each] for each in without) > 10 * mean(without.values())

    def test_a_flood_comes_through_however_many_others_keep_coming(self) -> None:
        """As many others come as can be judged, for ever: still each of the flood has its turn."""
        flood: list[Step] = [(FLOODER, 0)] * 20
        steady: list[Step] = [step for number in range(1, 501) for step in ((number, 0), None)]
        found = waits([*flood, *steady])
        assert max(found[each] for each in range(20)) <= 20 * 15
