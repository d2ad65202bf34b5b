"""The addresses of the courses API, below `/api/v1/`."""

from django.urls import URLPattern, path

from courses.api import views

urlpatterns: list[URLPattern] = [
    path("courses/", views.CourseListView.as_view(), name="course-list"),
    path("courses/<int:course_id>/", views.CourseDetailView.as_view(), name="course-detail"),
    path("courses/<int:course_id>/chapters/", views.ChapterListView.as_view(), name="chapter-list"),
    path("courses/<int:course_id>/problems/", views.ProblemListView.as_view(), name="problem-list"),
    path("courses/<int:course_id>/enrollments/", views.EnrollmentListView.as_view(), name="enrollment-list"),
    path("chapters/<int:chapter_id>/", views.ChapterDetailView.as_view(), name="chapter-detail"),
    path("chapters/<int:chapter_id>/problems/", views.PlacementListView.as_view(), name="placement-list"),
    path(
        "chapters/<int:chapter_id>/problems/<int:problem_id>/",
        views.PlacementDetailView.as_view(),
        name="placement-detail",
    ),
    path("problems/<int:problem_id>/", views.ProblemDetailView.as_view(), name="problem-detail"),
    path("problems/<int:problem_id>/test-sets/", views.TestSetListView.as_view(), name="testset-list"),
    path("test-sets/<int:test_set_id>/", views.TestSetDetailView.as_view(), name="testset-detail"),
    path("enrollments/<int:enrollment_id>/", views.EnrollmentDetailView.as_view(), name="enrollment-detail"),
]
