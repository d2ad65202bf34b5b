"""How lists are cut into pages."""

from rest_framework import pagination


class PageNumberPagination(pagination.PageNumberPagination):
    """`?page=` and `?page_size=` (50 at first, 200 at most)."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
