"""Addresses of the executor's API, under /api/v1/."""

from django.urls import path

from executor.api.views import problems, runs, solutions, submissions

urlpatterns = [
    path("submissions/", submissions.SubmissionListView.as_view(), name="submission-list"),
    path("submissions/<id:submission_id>/", submissions.SubmissionDetailView.as_view(), name="submission-detail"),
    path("problems/<id:problem_id>/run-samples/", problems.SampleRunView.as_view(), name="problem-run-samples"),
    path("problems/<id:problem_id>/wrapped/", problems.WrappedView.as_view(), name="problem-wrapped"),
    path("problems/<id:problem_id>/solutions/", solutions.SolutionListView.as_view(), name="solution-list"),
    path("solutions/<id:solution_id>/", solutions.SolutionDetailView.as_view(), name="solution-detail"),
    path("solutions/<id:solution_id>/verify/", solutions.SolutionVerifyView.as_view(), name="solution-verify"),
    path("runs/", runs.RunView.as_view(), name="run-list"),
    path("languages/", runs.LanguageListView.as_view(), name="language-list"),
]
