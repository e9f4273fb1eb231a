"""All addresses of the web process."""

from django.contrib import admin
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from reminders.api.api import api


def healthz(_request: HttpRequest) -> HttpResponse:
    """Answer 200 where this process serves pages and reaches its database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")


urlpatterns = [
    path("healthz", healthz),
    path("admin/", admin.site.urls),
    path("api/v1/", api.urls),
    path("", include("reminders.console.urls")),
    path("webhooks/", include("reminders.webhooks.urls")),
]
