"""Addresses of the executor's API, under /api/v1/."""

from django.urls import path

from executor.api.views import events, problems, queue, rejudging, runs, solutions, submissions

urlpatterns = [
    path("submissions/", submissions.SubmissionListView.as_view(), name="submission-list"),
    path("submissions/queue-status/", queue.QueueStatusView.as_view(), name="queue-status"),
    path("submissions/<id:submission_id>/", submissions.SubmissionDetailView.as_view(), name="submission-detail"),
    path("submissions/<id:submission_id>/events/", events.SubmissionEventsView.as_view(), name="submission-events"),
    path(
        "submissions/<id:submission_id>/rejudge/",
        rejudging.SubmissionRejudgeView.as_view(),
        name="submission-rejudge",
    ),
    path("submissions/<id:submission_id>/judgements/", rejudging.JudgementListView.as_view(), name="judgement-list"),
    path("problems/<id:problem_id>/rejudge/", rejudging.ProblemRejudgeView.as_view(), name="problem-rejudge"),
    path("problems/<id:problem_id>/run-samples/", problems.SampleRunView.as_view(), name="problem-run-samples"),
    path("problems/<id:problem_id>/wrapped/", problems.WrappedView.as_view(), name="problem-wrapped"),
    path("problems/<id:problem_id>/solutions/", solutions.SolutionListView.as_view(), name="solution-list"),
    path("solutions/<id:solution_id>/", solutions.SolutionDetailView.as_view(), name="solution-detail"),
    path("solutions/<id:solution_id>/verify/", solutions.SolutionVerifyView.as_view(), name="solution-verify"),
    path("runs/", runs.RunView.as_view(), name="run-list"),
    path("languages/", runs.LanguageListView.as_view(), name="language-list"),
]
