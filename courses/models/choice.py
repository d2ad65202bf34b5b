"""Problems answered by choosing among options."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Length
from django.db.models.lookups import Exact, LessThanOrEqual

from courses.models.problem import Problem


class ChoiceProblem(models.Model):
    """What a problem of type `choice` adds: its options, lettered A..Z by their place, and which of them are right."""

    class Scoring(models.TextChoices):
        """What a multiple choice that is partly right is worth."""

        ALL_OR_NOTHING = "all_or_nothing"
        # The part of the right options chosen, less as much for each wrong one; never below nothing.
        RIGHT_MINUS_WRONG = "right_minus_wrong"

    problem = models.OneToOneField(Problem, on_delete=models.CASCADE, primary_key=True, related_name="choice")
    # Texts in Markdown; the first is A.
    options = models.JSONField()
    option_count = models.PositiveSmallIntegerField()
    # The letters of the right options, ascending, such as "ACD". Never shown to students.
    answers = models.CharField(max_length=26)
    is_multiple = models.BooleanField(default=False)
    scoring = models.CharField(max_length=20, choices=Scoring.choices, default=Scoring.ALL_OR_NOTHING)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(option_count__range=(2, 26)), name="choice_options_2_to_26"),
            models.CheckConstraint(
                condition=Q(scoring__in=["all_or_nothing", "right_minus_wrong"]), name="choice_scoring_known"
            ),
            models.CheckConstraint(condition=~Q(answers=""), name="choice_has_an_answer"),
            models.CheckConstraint(
                condition=Q(is_multiple=True) | Q(Exact(Length("answers"), 1)),
                name="choice_single_has_one_answer",
            ),
            models.CheckConstraint(
                condition=LessThanOrEqual(Length("answers"), models.F("option_count")),
                name="choice_answers_among_options",
            ),
        ]

    def __str__(self) -> str:
        return f"choice of problem {self.problem_id}"
