from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("courses", "0008_positions_replace_numbers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="chapter",
            name="status",
            field=models.CharField(
                choices=[("draft", "Draft"), ("published", "Published")], default="published", max_length=10
            ),
        ),
        migrations.AddField(
            model_name="course",
            name="published_from",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="course",
            name="published_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="problem",
            name="author_notes",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="problem",
            name="published_from",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="problem",
            name="published_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="chapter",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["draft", "published"])), name="chapter_status_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="course",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("published_from__isnull", True),
                    ("published_until__isnull", True),
                    ("published_from__lt", models.F("published_until")),
                    _connector="OR",
                ),
                name="course_published_from_before_until",
            ),
        ),
        migrations.AddConstraint(
            model_name="problem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("published_from__isnull", True),
                    ("published_until__isnull", True),
                    ("published_from__lt", models.F("published_until")),
                    _connector="OR",
                ),
                name="problem_published_from_before_until",
            ),
        ),
    ]
