from django.db import migrations, models

from core.index_operations import AddIndexOnline, RemoveIndexOnline


class Migration(migrations.Migration):
    # Submissions and judgements are the largest tables there are: nobody waits while they are indexed.
    atomic = False

    dependencies = [("executor", "0006_judging_queue")]

    operations = [
        RemoveIndexOnline(
            model_name='judgement',
            name='judgement_pending',
        ),
        AddIndexOnline(
            model_name='judgement',
            index=models.Index(condition=models.Q(('state', 'pending')), fields=['lane', 'virtual_start', 'id'], name='judgement_pending'),
        ),
        AddIndexOnline(
            model_name='judgement',
            index=models.Index(condition=models.Q(('state', 'pending')), fields=['organization_id', 'turn'], name='judgement_pending_org'),
        ),
        AddIndexOnline(
            model_name='judgement',
            index=models.Index(condition=models.Q(('state', 'pending')), fields=['student_id'], name='judgement_pending_student'),
        ),
        AddIndexOnline(
            model_name='judgement',
            index=models.Index(condition=models.Q(('state', 'done')), fields=['finished_at'], name='judgement_finished'),
        ),
        AddIndexOnline(
            model_name='judgement',
            index=models.Index(condition=models.Q(('verdict', 'internal_error')), fields=['finished_at'], name='judgement_broken'),
        ),
    ]
