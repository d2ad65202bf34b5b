"""Problems answered by filling blanks in a text."""

from django.db import models
from django.db.models import Q

from courses.models.problem import Problem


class FillBlankProblem(models.Model):
    """What a problem of type `fillblank` adds: a text with blanks, and what each accepts."""

    problem = models.OneToOneField(Problem, on_delete=models.CASCADE, primary_key=True, related_name="fillblank")
    # Markdown with the blanks as {{1}}, {{2}} and so on.
    text = models.TextField()
    # In order: [{"accepted": [...], "match", "ignores_case", "spaces", "tolerance", "relative_tolerance", "score"}], as
    # `rules.fillblank` reads them; decimals as text. Never shown to students.
    blanks = models.JSONField()
    blank_count = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(blank_count__range=(1, 50)), name="fillblank_blanks_1_to_50"),
            models.CheckConstraint(condition=~Q(text=""), name="fillblank_text_present"),
        ]

    def __str__(self) -> str:
        return f"blanks of problem {self.problem_id}"
