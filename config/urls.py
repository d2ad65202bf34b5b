"""Every address Assay answers."""

from django.urls import include, path

from executor.admin import site

handler400 = "core.problems.bad_request"
handler403 = "core.problems.permission_denied"
handler404 = "core.problems.not_found"
handler500 = "core.problems.server_error"

urlpatterns = [
    path("", include("core.urls")),
    path("admin/", site.urls),
    path("api/v1/", include("accounts.api.urls")),
    path("api/v1/", include("events.api.urls")),
    path("api/v1/", include("courses.api.urls")),
    path("api/v1/", include("executor.api.urls")),
]
