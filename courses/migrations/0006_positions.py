import core.fields
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("courses", "0005_isolated_tests")]

    operations = [
        migrations.AddField("chapter", "position", core.fields.PositionField(max_length=255, default="")),
        migrations.AddField("chapterproblem", "position", core.fields.PositionField(max_length=255, default="")),
    ]
