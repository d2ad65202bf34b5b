"""Who may enter the admin, and how they sign in."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path

from accounts.errors import PasswordThrottled
from accounts.services.throttle import password_tries_forget, password_try_count
from accounts.services.tokens import LOGIN
from courses.models import Course


def may_enter(user: Any) -> bool:
    """Whether a user is active and staff of any course; superusers are staff of all."""
    return bool(user.is_active) and (bool(user.is_superuser) or Course.objects.staffed_by(user).exists())


class LoginForm(AdminAuthenticationForm):
    """Counts wrong passwords together with those of the API: the admin is no second set of tries (T-07)."""

    def clean(self) -> dict[str, Any]:
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if not name or not password:
            return super().clean()
        try:
            password_try_count(scope=LOGIN, name=name)
        except PasswordThrottled as error:
            raise forms.ValidationError(error.detail, code=error.code) from error
        cleaned = super().clean()
        password_tries_forget(scope=LOGIN, name=name)
        return cleaned

    def confirm_login_allowed(self, user: AbstractBaseUser) -> None:
        """Raises, in the words of a wrong password, for whoever is staff of nothing."""
        if not may_enter(user):
            raise self.get_invalid_login_error()


class AssayAdminSite(admin.AdminSite):
    site_header = "Assay"
    site_title = "Assay"
    index_title = "Your courses"
    site_url = None
    login_form = LoginForm
    # It would ask for everything twice on each page.
    enable_nav_sidebar = False

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._pages: list[URLPattern] = []

    def add_page(self, route: str, view: Callable[..., HttpResponse], *, name: str) -> None:
        """A page of no one model, for whoever may enter; for apps above, before the addresses are read."""
        self._pages.append(path(route, self.admin_view(view), name=name))

    def has_permission(self, request: HttpRequest) -> bool:
        return may_enter(request.user)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Without Django's own changing of passwords: it would leave the tokens of other devices alive."""
        return [
            *self._pages,
            *(
                pattern
                for pattern in super().get_urls()
                if getattr(pattern, "name", None) not in ("password_change", "password_change_done")
            ),
        ]


site = AssayAdminSite(name="admin")
