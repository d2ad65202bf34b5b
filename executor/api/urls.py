"""Addresses of the executor's API, under /api/v1/."""

from django.urls import path

from executor.api import views

urlpatterns = [
    path("submissions/", views.SubmissionListView.as_view(), name="submission-list"),
    path("submissions/<id:submission_id>/", views.SubmissionDetailView.as_view(), name="submission-detail"),
    path("runs/", views.RunView.as_view(), name="run-list"),
    path("languages/", views.LanguageListView.as_view(), name="language-list"),
]
