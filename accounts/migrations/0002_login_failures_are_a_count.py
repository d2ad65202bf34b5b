from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_users_and_organizations'),
    ]

    operations = [
        migrations.RenameField(model_name='loginfailure', old_name='failures', new_name='count'),
    ]
