"""What the accounts API takes and gives."""

from typing import Any

from rest_framework import serializers

from accounts.models import Membership, User
from accounts.selectors import memberships_of
from core.serializers import StrictSerializer


class PasswordField(serializers.CharField):
    """A password in a request: taken as typed, spaces too, and never given back."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(write_only=True, trim_whitespace=False, max_length=1024, **kwargs)


class TokenObtainSerializer(StrictSerializer):
    username = serializers.CharField(max_length=254, help_text="The username or the e-mail address; case is ignored.")
    password = PasswordField()


class RefreshSerializer(StrictSerializer):
    refresh = serializers.CharField(max_length=4096, write_only=True)


class TokenPairSerializer(serializers.Serializer[Any]):
    access = serializers.CharField(help_text="For the header `Authorization: Bearer ...`; short-lived.")
    refresh = serializers.CharField(help_text="Exchanged once for the next pair.")


class RegisterSerializer(StrictSerializer):
    username = serializers.CharField(max_length=150)
    email = serializers.EmailField(max_length=254)
    password = PasswordField()
    display_name = serializers.CharField(max_length=150, required=False, allow_blank=True)


class OrganizationSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    slug = serializers.SlugField()
    role = serializers.ChoiceField(
        choices=Membership.Role.choices,
        allow_null=True,
        help_text="Your own role in it; null for a superuser who has none.",
    )


class OwnMembershipSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="organization.pk")
    name = serializers.CharField(source="organization.name")
    slug = serializers.SlugField(source="organization.slug")
    role = serializers.ChoiceField(choices=Membership.Role.choices)


class PersonSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    username = serializers.CharField()
    email = serializers.EmailField()
    display_name = serializers.CharField()


class MeSerializer(PersonSerializer):
    organizations = serializers.SerializerMethodField()

    def get_organizations(self, user: User) -> list[dict[str, Any]]:
        return list(OwnMembershipSerializer(memberships_of(user=user), many=True).data)


class MeUpdateSerializer(StrictSerializer):
    id = serializers.IntegerField(read_only=True)
    username = serializers.CharField(read_only=True)
    organizations = OwnMembershipSerializer(many=True, read_only=True)
    display_name = serializers.CharField(max_length=150, required=False, allow_blank=True)
    email = serializers.EmailField(
        max_length=254, required=False, help_text="A new address needs `current_password` too."
    )
    current_password = PasswordField(required=False)


class PasswordChangeSerializer(StrictSerializer):
    current_password = PasswordField()
    new_password = PasswordField()


class MemberSerializer(serializers.Serializer[Any]):
    user = PersonSerializer()
    role = serializers.ChoiceField(choices=Membership.Role.choices)
    created_at = serializers.DateTimeField()


class MemberAddSerializer(StrictSerializer):
    user = serializers.CharField(max_length=254, help_text="The person's username or e-mail address.")
    role = serializers.ChoiceField(choices=Membership.Role.choices, default=Membership.Role.MEMBER)


class MemberUpdateSerializer(StrictSerializer):
    role = serializers.ChoiceField(choices=Membership.Role.choices)
