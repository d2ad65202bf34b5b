"""Who may call the views of organizations."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.models import Organization
from core.errors import NotFound


class IsOrganizationAdmin(BasePermission):
    """A signed-in owner or admin of the organization in the URL (`organization_id`), or a superuser.

    A stranger to the organization gets 404, as if it were missing; a plain member 403.
    """

    message = "Only owners and admins of the organization may do this."

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            return False
        organization_id = view.kwargs["organization_id"]
        if Organization.objects.administered_by(request.user).filter(pk=organization_id).exists():
            return True
        if Organization.objects.visible_to(request.user).filter(pk=organization_id).exists():
            return False
        raise NotFound
