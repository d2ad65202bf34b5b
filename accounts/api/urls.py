"""The addresses of the accounts API, below `/api/v1/`."""

from django.urls import URLPattern, path

from accounts.api import views

urlpatterns: list[URLPattern] = [
    path("auth/token/", views.TokenObtainView.as_view(), name="token-obtain"),
    path("auth/token/refresh/", views.TokenRefreshView.as_view(), name="token-refresh"),
    path("auth/logout/", views.LogoutView.as_view(), name="logout"),
    path("auth/register/", views.RegisterView.as_view(), name="register"),
    path("me/", views.MeView.as_view(), name="me"),
    path("me/password/", views.MePasswordView.as_view(), name="me-password"),
    path("organizations/", views.OrganizationListView.as_view(), name="organization-list"),
    path("organizations/<id:organization_id>/", views.OrganizationDetailView.as_view(), name="organization-detail"),
    path("organizations/<id:organization_id>/members/", views.MemberListView.as_view(), name="member-list"),
    path(
        "organizations/<id:organization_id>/members/<id:user_id>/",
        views.MemberDetailView.as_view(),
        name="member-detail",
    ),
]
