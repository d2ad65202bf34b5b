"""Everything that changes accounts, one function per use case."""

from accounts.services.organizations import (
    membership_add,
    membership_remove,
    membership_set,
    organization_create,
)
from accounts.services.tokens import token_families_revoke, token_logout, token_obtain, token_refresh
from accounts.services.users import user_change_password, user_create, user_register, user_update

__all__ = [
    "membership_add",
    "membership_remove",
    "membership_set",
    "organization_create",
    "token_families_revoke",
    "token_logout",
    "token_obtain",
    "token_refresh",
    "user_change_password",
    "user_create",
    "user_register",
    "user_update",
]
