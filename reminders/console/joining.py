"""Behind a link that an owner gave: making one's account, or setting a new password. Open to who holds the link."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from reminders import clock
from reminders.clinic import staff as accounts
from reminders.clinic.account_models import StaffLink
from reminders.clinic.errors import ReminderError
from reminders.clinic.models import Clinician
from reminders.console.staff_forms import JoinForm, NewPasswordForm

UNPROCESSABLE = 422
GONE = 410
KEPT_IN_SESSION = "staff_link"


@require_safe
def open_link(request: HttpRequest, plain: str) -> HttpResponse:
    """Remember which link was opened and go on to a page whose address holds no secret. Nothing is used up by it."""
    link = accounts.find_link(plain=plain, now=clock.now())
    if link is None:
        return _gone(request)
    request.session[KEPT_IN_SESSION] = link.pk
    return redirect("welcome")


@require_http_methods(["GET", "HEAD", "POST"])
def welcome(request: HttpRequest) -> HttpResponse:
    """Ask for what the link is for, and do it; then the link is used up and one logs in."""
    now = clock.now()
    kept = request.session.get(KEPT_IN_SESSION)
    link = StaffLink.objects.select_related("clinic", "clinician").filter(pk=kept).first() if kept else None
    if link is None or not accounts.works(link=link, now=now):
        return _gone(request)
    form = _form(request, link)
    if request.method != "POST":
        return _page(request, link, form)
    if not form.is_valid():
        return _page(request, link, form, status=UNPROCESSABLE)
    said = form.cleaned_data
    try:
        if link.kind == StaffLink.Kind.INVITATION:
            names = {name: said[name] for name in ("username", "first_name", "last_name", "phone", "password")}
            accounts.accept_invitation(link=link, now=now, **names)
        else:
            accounts.set_password_by_link(link=link, password=said["password"], now=now)
    except accounts.NameTakenError as error:
        form.add_error("username", str(error))
        return _page(request, link, form, status=UNPROCESSABLE)
    except ReminderError:
        return _gone(request)
    request.session.flush()  # whoever was logged in in this browser, the next page is for the one who just came
    messages.success(request, "That worked. Log in with your user name and the new password.")
    return redirect("login")


def _form(request: HttpRequest, link: StaffLink) -> NewPasswordForm:
    posted = request.POST if request.method == "POST" else None
    if link.kind == StaffLink.Kind.PASSWORD and link.clinician is not None:
        return NewPasswordForm(posted, of=link.clinician)
    names = {"first_name": link.first_name, "last_name": link.last_name}
    return JoinForm(posted, of=Clinician(clinic=link.clinic), initial=names)


def _page(request: HttpRequest, link: StaffLink, form: NewPasswordForm, status: int = 200) -> HttpResponse:
    return render(request, "console/welcome.j2", {"link": link, "form": form}, status=status)


def _gone(request: HttpRequest) -> HttpResponse:
    return render(request, "console/link_gone.j2", status=GONE)
