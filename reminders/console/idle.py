"""Logins that end when nobody is there, though a page keeps refreshing itself."""

from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse


class IdleSessionMiddleware(SessionMiddleware):
    """Django's sessions, but a page's own refreshes do not count as somebody being there.

    Each request starts the idle time anew (`SESSION_SAVE_EVERY_REQUEST`). A screen that refreshes every few seconds
    would therefore never log off; so a view that answers such a refresh sets `request.is_poll`.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Leave the session's end where it was after a refresh that changed nothing in it."""
        if getattr(request, "is_poll", False) and not request.session.modified:
            return response
        return super().process_response(request, response)
