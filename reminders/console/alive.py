"""How long a login still lasts without use, for the page that warns before it ends."""

import math

from django.conf import settings
from django.contrib.sessions.models import Session
from django.http import HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.utils import timezone

from reminders.console.access import May, StaffRequest, room


@room(may=May.OWN_ACCOUNT, methods=("GET", "HEAD", "POST"))
def alive(request: StaffRequest) -> HttpResponse:
    """Say in how many seconds the login ends. To ask (GET) is no use of it; a POST starts the time anew.

    The token is for forms that outlived a login: after the next one by the same person they can be sent after all.
    """
    request.is_poll = request.method != "POST"
    left = float(settings.SESSION_COOKIE_AGE)
    if request.is_poll:
        row = Session.objects.filter(session_key=request.session.session_key).only("expire_date").first()
        left = (row.expire_date - timezone.now()).total_seconds() if row else 0
    return JsonResponse({"seconds": max(0, math.ceil(left)), "who": request.user.pk, "token": get_token(request)})
