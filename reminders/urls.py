"""All addresses of the web process."""

from django.contrib import admin
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from reminders.api.api import api
from reminders.api.metrics import metrics


def healthz(_request: HttpRequest) -> HttpResponse:
    """Answer 200 where this process serves pages and reaches its database, else 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("the database does not answer\n", status=503, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")


urlpatterns = [
    path("healthz", healthz),
    path("metrics", metrics),
    path("admin/", admin.site.urls),
    path("api/v1/", api.urls),
    path("", include("reminders.console.urls")),
    path("webhooks/", include("reminders.webhooks.urls")),
]
