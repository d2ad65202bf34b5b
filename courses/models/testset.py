"""The tests of a problem, in frozen versions."""

from decimal import Decimal
from typing import Any

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from courses.models.course import Course
from courses.models.problem import Problem


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
