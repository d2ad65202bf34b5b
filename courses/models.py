"""Courses and what is in them: chapters, problems with their frozen test sets, and who is enrolled."""

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q

from accounts.models import Membership, Organization


class CourseQuerySet(models.QuerySet["Course"]):
    def staffed_by(self, user: Any) -> "CourseQuerySet":
        """The courses a user is staff of. This is the one definition of "staff of a course":

        an enrollment as instructor or assistant, or the organization role owner or admin; a superuser is staff of all.
        """
        if not user.is_authenticated:
            return self.none()
        if user.is_superuser:
            return self
        return self.filter(
            Exists(Enrollment.objects.filter(course=OuterRef("pk"), user=user, role__in=Enrollment.STAFF_ROLES))
            | Exists(
                Membership.objects.filter(
                    organization=OuterRef("organization"), user=user, role__in=Membership.STAFF_ROLES
                )
            )
        )

    def visible_to(self, user: Any) -> "CourseQuerySet":
        """What a user may see: courses they are staff of, and published ones they are enrolled in."""
        if not user.is_authenticated:
            return self.none()
        enrolled = Exists(Enrollment.objects.filter(course=OuterRef("pk"), user=user))
        return self.filter(
            Q(pk__in=self.model.objects.staffed_by(user).values("pk")) | (Q(status=Course.Status.PUBLISHED) & enrolled)
        )


class Course(models.Model):
    """A course of an organization. Drafts are for its staff alone; archived ones stay, with their marks."""

    class Status(models.TextChoices):
        DRAFT = "draft"
        PUBLISHED = "published"
        ARCHIVED = "archived"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="courses")
    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80)
    description = models.TextField(blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CourseQuerySet.as_manager()

    class Meta:
        ordering = ["title", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "slug"], name="course_slug_unique"),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "published", "archived"]), name="course_status_known"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class EnrollmentQuerySet(models.QuerySet["Enrollment"]):
    def visible_to(self, user: Any) -> "EnrollmentQuerySet":
        """One's own enrollments, and all of the courses one is staff of."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(Q(user=user) | Q(course__in=Course.objects.staffed_by(user)))


class Enrollment(models.Model):
    """One user's place in one course."""

    class Role(models.TextChoices):
        STUDENT = "student"
        ASSISTANT = "assistant"
        INSTRUCTOR = "instructor"

    STAFF_ROLES = (Role.ASSISTANT, Role.INSTRUCTOR)

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="enrollments")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="enrollments")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.STUDENT)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = EnrollmentQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["course", "user"], name="enrollment_unique"),
            models.CheckConstraint(
                condition=Q(role__in=["student", "assistant", "instructor"]), name="enrollment_role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} is {self.role} in {self.course_id}"


class ChapterQuerySet(models.QuerySet["Chapter"]):
    def visible_to(self, user: Any) -> "ChapterQuerySet":
        """The chapters of visible courses."""
        return self.filter(course__in=Course.objects.visible_to(user))


class Chapter(models.Model):
    """A part of a course; problems are placed in it by `ChapterProblem`."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="chapters")
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    order = models.PositiveIntegerField(default=0)
    problems: "models.ManyToManyField[Problem, ChapterProblem]" = models.ManyToManyField(
        "Problem", through="ChapterProblem", related_name="chapters"
    )

    objects = ChapterQuerySet.as_manager()

    class Meta:
        ordering = ["order", "pk"]
        indexes = [models.Index(fields=["course", "order", "id"], name="chapter_in_order")]

    def __str__(self) -> str:
        return self.title


class ProblemQuerySet(models.QuerySet["Problem"]):
    def visible_to(self, user: Any) -> "ProblemQuerySet":
        """All problems of the courses one is staff of; of other visible courses the published ones for the course.

        Problems of audience `exam_only` exist for students only inside an exam, which the exam's services decide.
        """
        return self.filter(
            Q(course__in=Course.objects.staffed_by(user))
            | Q(
                course__in=Course.objects.visible_to(user),
                audience=Problem.Audience.COURSE,
                status=Problem.Status.PUBLISHED,
            )
        )


class Problem(models.Model):
    """A task, owned by a course. What is particular to its type stands in a model of its own."""

    class Type(models.TextChoices):
        ALGORITHM = "algorithm"
        CHOICE = "choice"
        FILLBLANK = "fillblank"

    class Audience(models.TextChoices):
        COURSE = "course"
        EXAM_ONLY = "exam_only"

    class Status(models.TextChoices):
        DRAFT = "draft"
        PUBLISHED = "published"
        ARCHIVED = "archived"

    class Difficulty(models.IntegerChoices):
        EASY = 1
        MEDIUM = 2
        HARD = 3

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="problems")
    type = models.CharField(max_length=10, choices=Type.choices)
    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80)
    statement = models.TextField(blank=True)
    difficulty = models.PositiveSmallIntegerField(choices=Difficulty.choices, default=Difficulty.EASY)
    audience = models.CharField(max_length=10, choices=Audience.choices, default=Audience.COURSE)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ProblemQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["course", "slug"], name="problem_slug_unique"),
            models.CheckConstraint(condition=Q(difficulty__range=(1, 3)), name="problem_difficulty_1_to_3"),
            models.CheckConstraint(
                condition=Q(type__in=["algorithm", "choice", "fillblank"]), name="problem_type_known"
            ),
            models.CheckConstraint(condition=Q(audience__in=["course", "exam_only"]), name="problem_audience_known"),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "published", "archived"]), name="problem_status_known"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class ChapterProblem(models.Model):
    """A problem's place in a chapter of the same course."""

    chapter = models.ForeignKey(Chapter, on_delete=models.CASCADE, related_name="placements")
    problem = models.ForeignKey(Problem, on_delete=models.CASCADE, related_name="placements")
    order = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["order", "pk"]
        constraints = [models.UniqueConstraint(fields=["chapter", "problem"], name="chapterproblem_unique")]

    def __str__(self) -> str:
        return f"problem {self.problem_id} in chapter {self.chapter_id}"


class AlgorithmProblem(models.Model):
    """What a problem of type `algorithm` adds: limits, how the program is called, and how its output is compared.

    With an `entry_point` it is a function problem: the function of that name is called with each test's arguments.
    Without one it is a stdio problem: the program reads stdin and prints.
    """

    class Checker(models.TextChoices):
        EXACT = "exact"
        TOKENS = "tokens"
        LINES = "lines"
        FLOAT = "float"
        UNORDERED = "unordered"
        JSON = "json"
        # A program by the author, which each version of the tests brings along.
        CUSTOM = "custom"

    class ValueEncoding(models.TextChoices):
        JSON = "json"
        # For function problems in Python whose values JSON cannot carry, such as tuples.
        PYTHON_LITERAL = "python-literal"

    problem = models.OneToOneField(Problem, on_delete=models.CASCADE, primary_key=True, related_name="algorithm")
    time_limit_ms = models.PositiveIntegerField(
        default=2000, validators=[MinValueValidator(50), MaxValueValidator(60_000)]
    )
    memory_limit_mb = models.PositiveIntegerField(
        default=256, validators=[MinValueValidator(16), MaxValueValidator(2048)]
    )
    entry_point = models.CharField(max_length=100, blank=True)
    value_encoding = models.CharField(max_length=20, choices=ValueEncoding.choices, default=ValueEncoding.JSON)
    checker = models.CharField(max_length=20, choices=Checker.choices, default=Checker.TOKENS)
    # Named options of the checker, such as {"absolute": 1e-6}.
    checker_options = models.JSONField(default=dict, blank=True)
    # Without partial credit a score is 100 or 0.
    is_partial_credit = models.BooleanField(default=True)
    # All tests after the first that is not accepted are skipped.
    stops_at_first_failure = models.BooleanField(default=False)
    # The tests of a submission share nothing that they need not, as in an exam; judging then takes longer.
    isolates_tests = models.BooleanField(default=False)
    # Keys of the languages allowed; an empty list allows every one.
    languages = models.JSONField(default=list, blank=True)
    # {language key: a template with holes} where the built-in template is not what the author wants.
    templates = models.JSONField(default=dict, blank=True)
    # {language key: code of the author's before, or after, the student's}.
    preludes = models.JSONField(default=dict, blank=True)
    postludes = models.JSONField(default=dict, blank=True)
    # {language key: what the student's editor starts with}.
    starter_code = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(time_limit_ms__range=(50, 60_000)), name="algorithm_time_limit_sane"),
            models.CheckConstraint(condition=Q(memory_limit_mb__range=(16, 2048)), name="algorithm_memory_limit_sane"),
        ]

    def __str__(self) -> str:
        return f"algorithm of problem {self.problem_id}"


class TestSetQuerySet(models.QuerySet["TestSet"]):
    def visible_to(self, user: Any) -> "TestSetQuerySet":
        """Those of the courses one is staff of: to everybody else the hidden tests do not exist (law 7)."""
        return self.filter(problem__course__in=Course.objects.staffed_by(user))


class TestSet(models.Model):
    """One version of a problem's tests. Once a judgement used it, it is frozen: changing tests makes a new version."""

    __test__ = False  # not a test class, whatever pytest thinks of the name

    problem = models.ForeignKey(Problem, on_delete=models.CASCADE, related_name="test_sets")
    version = models.PositiveIntegerField()
    # [{"name", "aggregate", "points", "threshold", "requires"}], as `testgroups.group_as_json` writes them.
    groups = models.JSONField(default=list, blank=True)
    # The program that decides where the problem's checker is `custom`; else both are empty.
    checker_language = models.CharField(max_length=30, blank=True, default="")
    checker_source = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    frozen_at = models.DateTimeField(null=True, blank=True)

    objects = TestSetQuerySet.as_manager()

    class Meta:
        ordering = ["problem", "version"]
        constraints = [
            models.UniqueConstraint(fields=["problem", "version"], name="testset_version_unique"),
            models.CheckConstraint(
                condition=Q(checker_language="", checker_source="") | ~(Q(checker_language="") | Q(checker_source="")),
                name="testset_checker_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"tests of problem {self.problem_id}, version {self.version}"


class TestCase(models.Model):
    """One input with its expected output. Samples are public, the rest hidden (law 7)."""

    __test__ = False

    test_set = models.ForeignKey(TestSet, on_delete=models.CASCADE, related_name="test_cases")
    order = models.PositiveIntegerField()
    # For a function problem the arguments (a list, or an object for keywords); else what the program reads on stdin.
    input = models.TextField(blank=True)
    # None: any output is right, as long as the program ends well.
    expected_output = models.TextField(blank=True, null=True)  # noqa: DJ001 - "" must print nothing, NULL may print anything
    is_sample = models.BooleanField(default=False)
    weight = models.DecimalField(
        max_digits=8, decimal_places=3, default=Decimal(1), validators=[MinValueValidator(Decimal(0))]
    )
    group = models.CharField(max_length=50, blank=True)

    class Meta:
        ordering = ["order", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["test_set", "order"], name="testcase_order_unique"),
            models.CheckConstraint(condition=Q(weight__gte=0), name="testcase_weight_not_negative"),
        ]

    def __str__(self) -> str:
        return f"test {self.order} of set {self.test_set_id}"
