from decimal import Decimal

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.lookups
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("courses", "0012_unlocking_and_due_dates"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CodeDraft",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("language", models.CharField(max_length=30)),
                ("code", models.TextField(blank=True)),
                ("version", models.PositiveIntegerField(default=1)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="PracticeAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("answer", models.JSONField()),
                ("score", models.DecimalField(decimal_places=2, max_digits=5)),
                ("is_correct", models.BooleanField()),
                ("received_at", models.DateTimeField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="ProblemProgress",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "status",
                    models.CharField(
                        choices=[("not_started", "Not Started"), ("in_progress", "In Progress"), ("solved", "Solved")],
                        default="not_started",
                        max_length=12,
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("best_score", models.DecimalField(decimal_places=2, default=Decimal("0"), max_digits=5)),
                ("credited_score", models.DecimalField(decimal_places=2, default=Decimal("0"), max_digits=5)),
                ("best_time_ms", models.PositiveIntegerField(blank=True, null=True)),
                ("first_at", models.DateTimeField(blank=True, null=True)),
                ("last_at", models.DateTimeField(blank=True, null=True)),
                ("solved_at", models.DateTimeField(blank=True, null=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="ProgressResult",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "source",
                    models.CharField(choices=[("submission", "Submission"), ("answer", "Answer")], max_length=10),
                ),
                ("source_id", models.BigIntegerField()),
                ("received_at", models.DateTimeField()),
                ("score", models.DecimalField(decimal_places=2, max_digits=5)),
                ("is_accepted", models.BooleanField()),
                ("time_ms", models.PositiveIntegerField(blank=True, null=True)),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.AddField(
            model_name="codedraft",
            name="problem",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="code_drafts", to="courses.problem"
            ),
        ),
        migrations.AddField(
            model_name="codedraft",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="code_drafts", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="practiceanswer",
            name="problem",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="practice_answers", to="courses.problem"
            ),
        ),
        migrations.AddField(
            model_name="practiceanswer",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="practice_answers",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="problemprogress",
            name="enrollment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="progress", to="courses.enrollment"
            ),
        ),
        migrations.AddField(
            model_name="problemprogress",
            name="problem",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="progress", to="courses.problem"
            ),
        ),
        migrations.AddField(
            model_name="progressresult",
            name="progress",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="results", to="courses.problemprogress"
            ),
        ),
        migrations.AddConstraint(
            model_name="codedraft",
            constraint=models.UniqueConstraint(fields=("user", "problem", "language"), name="codedraft_unique"),
        ),
        migrations.AddIndex(
            model_name="practiceanswer",
            index=models.Index(fields=["problem", "user", "-id"], name="practiceanswer_of_both"),
        ),
        migrations.AddConstraint(
            model_name="practiceanswer",
            constraint=models.CheckConstraint(
                condition=models.Q(("score__range", (0, 100))), name="practiceanswer_score_0_to_100"
            ),
        ),
        migrations.AddConstraint(
            model_name="problemprogress",
            constraint=models.UniqueConstraint(fields=("enrollment", "problem"), name="problemprogress_unique"),
        ),
        migrations.AddConstraint(
            model_name="problemprogress",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("solved_at__isnull", False), ("status", "solved")),
                    models.Q(("attempts__gt", 0), ("solved_at__isnull", True), ("status", "in_progress")),
                    models.Q(("attempts", 0), ("solved_at__isnull", True), ("status", "not_started")),
                    _connector="OR",
                ),
                name="problemprogress_status_fits",
            ),
        ),
        migrations.AddConstraint(
            model_name="problemprogress",
            constraint=models.CheckConstraint(
                condition=models.Q(("best_score__range", (0, 100)), ("credited_score__range", (0, 100))),
                name="problemprogress_scores_0_to_100",
            ),
        ),
        migrations.AddConstraint(
            model_name="progressresult",
            constraint=models.UniqueConstraint(fields=("source", "source_id"), name="progressresult_unique"),
        ),
        migrations.AddConstraint(
            model_name="progressresult",
            constraint=models.CheckConstraint(
                condition=models.Q(("source__in", ["submission", "answer"])), name="progressresult_source"
            ),
        ),
        migrations.AddConstraint(
            model_name="progressresult",
            constraint=models.CheckConstraint(
                condition=models.Q(("score__range", (0, 100))), name="progressresult_score_0_to_100"
            ),
        ),
    ]
