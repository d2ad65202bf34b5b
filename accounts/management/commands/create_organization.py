"""`manage.py create_organization`: the way an organization comes into being."""

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts.models import User
from accounts.services import organization_create, user_create
from core.errors import InvalidInput

DESCRIPTION = """
Create an organization (a university, a department, a company) with its first owner.

The owner is staff of all its courses, and adds its other members through the API:
  manage.py create_organization "University of Ulm" --owner ada

Without a user to own it yet, create one in the same breath, then give them a password:
  manage.py create_organization "University of Ulm" --owner ada --create-owner --email ada@uni-ulm.example
  manage.py changepassword ada
"""


class Command(BaseCommand):
    """Creates an organization, with its owner if asked; all of it or nothing."""

    help = DESCRIPTION

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="what people call the organization, up to 200 characters")
        parser.add_argument("--owner", required=True, metavar="USER", help="username or e-mail address of the owner")
        parser.add_argument(
            "--create-owner", action="store_true", help="USER is a new username: create the user, without a password"
        )
        parser.add_argument("--email", help="the new user's e-mail address (with --create-owner)")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"].strip()
        if not 0 < len(name) <= 200:
            raise CommandError("NAME must have 1 to 200 characters.")
        if options["create_owner"] != bool(options["email"]):
            raise CommandError("--create-owner and --email belong together.")
        with transaction.atomic():
            owner = self._owner(options)
            organization = organization_create(name=name, owner=owner)
        self.stdout.write(f"Organization {organization.pk} ({organization.slug}) is owned by {owner.username}.")
        if options["create_owner"]:
            self.stdout.write(f"{owner.username} cannot sign in yet: manage.py changepassword {owner.username}")

    def _owner(self, options: dict[str, Any]) -> User:
        if options["create_owner"]:
            try:
                return user_create(username=options["owner"], email=options["email"], password=None)
            except InvalidInput as error:
                raise CommandError(" ".join(fault.detail for fault in error.errors)) from error
        owner = User.objects.named(options["owner"])
        if owner is None:
            raise CommandError(f"There is no user {options['owner']!r}; --create-owner creates one.")
        return owner
