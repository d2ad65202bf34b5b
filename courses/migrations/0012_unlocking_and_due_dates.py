from decimal import Decimal

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.lookups
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("courses", "0011_choice_and_fillblank"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            name="DueExtension",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("due_at", models.DateTimeField()),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="UnlockRequirement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.AddField(
            model_name="chapter",
            name="due_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="chapter",
            name="requires_mode",
            field=models.CharField(choices=[("all", "All"), ("any", "Any")], default="all", max_length=3),
        ),
        migrations.AddField(
            model_name="chapter",
            name="unlock_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="course",
            name="late_percent_per_day",
            field=models.DecimalField(
                decimal_places=2,
                default=Decimal("10"),
                max_digits=5,
                validators=[
                    django.core.validators.MinValueValidator(Decimal("0")),
                    django.core.validators.MaxValueValidator(Decimal("100")),
                ],
            ),
        ),
        migrations.AddField(
            model_name="course",
            name="late_policy",
            field=models.CharField(
                choices=[("none", "None"), ("per_day", "Per Day"), ("cut_off", "Cut Off")],
                default="none",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="problem",
            name="due_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="problem",
            name="requires_mode",
            field=models.CharField(choices=[("all", "All"), ("any", "Any")], default="all", max_length=3),
        ),
        migrations.AddField(
            model_name="problem",
            name="unlock_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="chapter",
            constraint=models.CheckConstraint(
                condition=models.Q(("requires_mode__in", ["all", "any"])), name="chapter_requires_mode_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="course",
            constraint=models.CheckConstraint(
                condition=models.Q(("late_policy__in", ["none", "per_day", "cut_off"])), name="course_late_policy_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="course",
            constraint=models.CheckConstraint(
                condition=models.Q(("late_percent_per_day__range", (0, 100))), name="course_late_percent_0_to_100"
            ),
        ),
        migrations.AddConstraint(
            model_name="problem",
            constraint=models.CheckConstraint(
                condition=models.Q(("requires_mode__in", ["all", "any"])), name="problem_requires_mode_known"
            ),
        ),
        migrations.AddField(
            model_name="dueextension",
            name="chapter",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="due_extensions",
                to="courses.chapter",
            ),
        ),
        migrations.AddField(
            model_name="dueextension",
            name="enrollment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="due_extensions", to="courses.enrollment"
            ),
        ),
        migrations.AddField(
            model_name="dueextension",
            name="problem",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="due_extensions",
                to="courses.problem",
            ),
        ),
        migrations.AddField(
            model_name="unlockrequirement",
            name="chapter",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="requirements",
                to="courses.chapter",
            ),
        ),
        migrations.AddField(
            model_name="unlockrequirement",
            name="course",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="unlock_requirements", to="courses.course"
            ),
        ),
        migrations.AddField(
            model_name="unlockrequirement",
            name="problem",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="requirements",
                to="courses.problem",
            ),
        ),
        migrations.AddField(
            model_name="unlockrequirement",
            name="required_chapter",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="required_by",
                to="courses.chapter",
            ),
        ),
        migrations.AddField(
            model_name="unlockrequirement",
            name="required_problem",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="required_by",
                to="courses.problem",
            ),
        ),
        migrations.AddConstraint(
            model_name="dueextension",
            constraint=models.CheckConstraint(
                condition=models.Q(("chapter__isnull", True), ("problem__isnull", True), _connector="XOR"),
                name="dueextension_of_one",
            ),
        ),
        migrations.AddConstraint(
            model_name="dueextension",
            constraint=models.UniqueConstraint(
                condition=models.Q(("chapter__isnull", False)),
                fields=("enrollment", "chapter"),
                name="dueextension_chapter_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="dueextension",
            constraint=models.UniqueConstraint(
                condition=models.Q(("problem__isnull", False)),
                fields=("enrollment", "problem"),
                name="dueextension_problem_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="unlockrequirement",
            constraint=models.CheckConstraint(
                condition=models.Q(("chapter__isnull", True), ("problem__isnull", True), _connector="XOR"),
                name="unlockrequirement_of_one",
            ),
        ),
        migrations.AddConstraint(
            model_name="unlockrequirement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("required_chapter__isnull", True), ("required_problem__isnull", True), _connector="XOR"
                ),
                name="unlockrequirement_names_one",
            ),
        ),
        migrations.AddConstraint(
            model_name="unlockrequirement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("chapter__isnull", False), ("required_chapter__isnull", False)),
                fields=("chapter", "required_chapter"),
                name="unlockrequirement_chapter_required_chapter",
            ),
        ),
        migrations.AddConstraint(
            model_name="unlockrequirement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("chapter__isnull", False), ("required_problem__isnull", False)),
                fields=("chapter", "required_problem"),
                name="unlockrequirement_chapter_required_problem",
            ),
        ),
        migrations.AddConstraint(
            model_name="unlockrequirement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("problem__isnull", False), ("required_chapter__isnull", False)),
                fields=("problem", "required_chapter"),
                name="unlockrequirement_problem_required_chapter",
            ),
        ),
        migrations.AddConstraint(
            model_name="unlockrequirement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("problem__isnull", False), ("required_problem__isnull", False)),
                fields=("problem", "required_problem"),
                name="unlockrequirement_problem_required_problem",
            ),
        ),
    ]
