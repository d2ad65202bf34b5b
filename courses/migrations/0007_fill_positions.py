from itertools import groupby

from django.db import migrations

from core.ordering import keys_between

BATCH = 1000


def fill(apps, schema_editor):
    """Give the rows of each parent positions in the order they had."""
    for model, parent in (("Chapter", "course_id"), ("ChapterProblem", "chapter_id")):
        rows = apps.get_model("courses", model).objects
        in_order = rows.order_by(parent, "order", "pk").only("pk", parent).iterator(chunk_size=BATCH)
        changed = []
        for _, siblings in groupby(in_order, key=lambda row: getattr(row, parent)):
            siblings = list(siblings)
            for row, position in zip(siblings, keys_between(None, None, len(siblings)), strict=True):
                row.position = position
                changed.append(row)
            if len(changed) >= BATCH:
                rows.bulk_update(changed, ["position"], batch_size=BATCH)
                changed = []
        rows.bulk_update(changed, ["position"], batch_size=BATCH)


def number(apps, schema_editor):
    """Give the rows of each parent numbers in the order of their positions."""
    for model, parent in (("Chapter", "course_id"), ("ChapterProblem", "chapter_id")):
        rows = apps.get_model("courses", model).objects
        in_order = rows.order_by(parent, "position", "pk").only("pk", parent).iterator(chunk_size=BATCH)
        changed = []
        for _, siblings in groupby(in_order, key=lambda row: getattr(row, parent)):
            for order, row in enumerate(siblings):
                row.order = order
                changed.append(row)
        rows.bulk_update(changed, ["order"], batch_size=BATCH)


class Migration(migrations.Migration):
    dependencies = [("courses", "0006_positions")]

    operations = [migrations.RunPython(fill, number)]
