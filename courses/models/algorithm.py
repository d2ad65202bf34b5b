"""Problems answered with a program."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from courses.models.problem import Problem


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
