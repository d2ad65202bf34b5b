"""The addresses of the courses API, below `/api/v1/`."""

from django.urls import URLPattern, path

from courses.api.views import courses, enrollments, problems

urlpatterns: list[URLPattern] = [
    path("courses/", courses.CourseListView.as_view(), name="course-list"),
    path("courses/<id:course_id>/", courses.CourseDetailView.as_view(), name="course-detail"),
    path("courses/<id:course_id>/chapters/", courses.ChapterListView.as_view(), name="chapter-list"),
    path("courses/<id:course_id>/problems/", problems.ProblemListView.as_view(), name="problem-list"),
    path("courses/<id:course_id>/enrollments/", enrollments.EnrollmentListView.as_view(), name="enrollment-list"),
    path("chapters/<id:chapter_id>/", courses.ChapterDetailView.as_view(), name="chapter-detail"),
    path("chapters/<id:chapter_id>/problems/", courses.PlacementListView.as_view(), name="placement-list"),
    path(
        "chapters/<id:chapter_id>/problems/<id:problem_id>/",
        courses.PlacementDetailView.as_view(),
        name="placement-detail",
    ),
    path("problems/<id:problem_id>/", problems.ProblemDetailView.as_view(), name="problem-detail"),
    path("problems/<id:problem_id>/test-sets/", problems.TestSetListView.as_view(), name="testset-list"),
    path("test-sets/<id:test_set_id>/", problems.TestSetDetailView.as_view(), name="testset-detail"),
    path("enrollments/<id:enrollment_id>/", enrollments.EnrollmentDetailView.as_view(), name="enrollment-detail"),
]
