import core.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("courses", "0007_fill_positions")]

    operations = [
        migrations.AlterModelOptions("chapter", {"ordering": ["position", "pk"]}),
        migrations.AlterModelOptions("chapterproblem", {"ordering": ["position", "pk"]}),
        migrations.RemoveIndex("chapter", "chapter_in_order"),
        migrations.RemoveField("chapter", "order"),
        migrations.RemoveField("chapterproblem", "order"),
        migrations.AlterField("chapter", "position", core.fields.PositionField(max_length=255)),
        migrations.AlterField("chapterproblem", "position", core.fields.PositionField(max_length=255)),
        migrations.AddConstraint(
            "chapter", models.UniqueConstraint(fields=["course", "position"], name="chapter_position_unique")
        ),
        migrations.AddConstraint(
            "chapterproblem",
            models.UniqueConstraint(fields=["chapter", "position"], name="chapterproblem_position_unique"),
        ),
    ]
