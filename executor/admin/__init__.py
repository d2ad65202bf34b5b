"""What the executor adds to the admin: the page of the queue."""

from courses.admin import site
from executor.admin.queue import queue_page

site.add_page("queue/", queue_page, name="queue")

__all__ = ["site"]
