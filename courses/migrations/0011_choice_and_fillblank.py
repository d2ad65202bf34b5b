import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.lookups
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("courses", "0010_groups_invitations_and_tokens"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ChoiceProblem",
            fields=[
                (
                    "problem",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="choice",
                        serialize=False,
                        to="courses.problem",
                    ),
                ),
                ("options", models.JSONField()),
                ("option_count", models.PositiveSmallIntegerField()),
                ("answers", models.CharField(max_length=26)),
                ("is_multiple", models.BooleanField(default=False)),
                (
                    "scoring",
                    models.CharField(
                        choices=[("all_or_nothing", "All Or Nothing"), ("right_minus_wrong", "Right Minus Wrong")],
                        default="all_or_nothing",
                        max_length=20,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="FillBlankProblem",
            fields=[
                (
                    "problem",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="fillblank",
                        serialize=False,
                        to="courses.problem",
                    ),
                ),
                ("text", models.TextField()),
                ("blanks", models.JSONField()),
                ("blank_count", models.PositiveSmallIntegerField()),
            ],
        ),
        migrations.AddConstraint(
            model_name="choiceproblem",
            constraint=models.CheckConstraint(
                condition=models.Q(("option_count__range", (2, 26))), name="choice_options_2_to_26"
            ),
        ),
        migrations.AddConstraint(
            model_name="choiceproblem",
            constraint=models.CheckConstraint(
                condition=models.Q(("scoring__in", ["all_or_nothing", "right_minus_wrong"])),
                name="choice_scoring_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="choiceproblem",
            constraint=models.CheckConstraint(
                condition=models.Q(("answers", ""), _negated=True), name="choice_has_an_answer"
            ),
        ),
        migrations.AddConstraint(
            model_name="choiceproblem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_multiple", True),
                    django.db.models.lookups.Exact(django.db.models.functions.text.Length("answers"), 1),
                    _connector="OR",
                ),
                name="choice_single_has_one_answer",
            ),
        ),
        migrations.AddConstraint(
            model_name="choiceproblem",
            constraint=models.CheckConstraint(
                condition=django.db.models.lookups.LessThanOrEqual(
                    django.db.models.functions.text.Length("answers"), models.F("option_count")
                ),
                name="choice_answers_among_options",
            ),
        ),
        migrations.AddConstraint(
            model_name="fillblankproblem",
            constraint=models.CheckConstraint(
                condition=models.Q(("blank_count__range", (1, 50))), name="fillblank_blanks_1_to_50"
            ),
        ),
        migrations.AddConstraint(
            model_name="fillblankproblem",
            constraint=models.CheckConstraint(
                condition=models.Q(("text", ""), _negated=True), name="fillblank_text_present"
            ),
        ),
    ]
