"""Log-in of the staff in one or two steps; until the last is taken, nobody is logged in."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from customers import audit, clock
from customers.log_in import back_off, sessions, two_factor
from customers.views.forms import CodeForm, LogInForm
from customers.views.pictures import qr

# The first step, kept in the session of somebody who is not logged in yet.
_WHO, _WHEN, _NEXT = "log_in_who", "log_in_when", "log_in_next"
_PATIENCE = timedelta(minutes=5)


@method_decorator([never_cache, sensitive_post_parameters("password")], name="dispatch")
class LogIn(LoginView):
    """The first step: name and password."""

    form_class = LogInForm
    template_name = "admin/login.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if admin.site.has_permission(request):
            return redirect("admin:index")
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        texts = {"title": gettext("Log in"), "subtitle": None, "app_path": self.request.get_full_path()}
        return super().get_context_data(**_frame(self.request), **texts, **kwargs)

    def form_valid(self, form: Any) -> Any:
        user: User = form.get_user()
        now = clock.utcnow()
        back_off.succeeded(back_off.account(user.get_username()), [back_off.address(form.network)], now)
        if not two_factor.is_required(user):
            _enter(self.request, user, now, verified=False)
            return HttpResponseRedirect(self.get_success_url())
        session = self.request.session
        session.cycle_key()
        session[_WHO], session[_WHEN], session[_NEXT] = user.pk, now.timestamp(), self.get_success_url()
        return redirect("log-in-code" if two_factor.is_set_up(user) else "log-in-set-up")


@never_cache
@sensitive_post_parameters("code")
def code(request: HttpRequest) -> HttpResponse:
    """The second step: the app's code, or a recovery code."""
    now = clock.utcnow()
    user = _half_way(request, now)
    if user is None:
        return redirect("admin:login")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        key = back_off.code(user.pk)
        how = two_factor.verify(user, form.cleaned_data["code"], now) if back_off.begin([key], now) else None
        if how is not None:
            back_off.succeeded(key, [], now)
            if how == "recovery":
                audit.record(user, "recovery_code", user, None, None, now=now)
            return HttpResponseRedirect(_enter(request, user, now, verified=True))
        audit.record(None, "log_in_failed", user, None, {"step": "code"}, now=now)
        form.add_error("code", gettext("That was not right, or there were too many attempts: wait for a new code."))
    title = gettext("Confirm that it is you")
    return TemplateResponse(
        request, "admin/customers/log_in_code.html", {**_frame(request), "title": title, "form": form}
    )


@never_cache
@sensitive_post_parameters("code")
def set_up(request: HttpRequest) -> HttpResponse:
    """An authenticator app for somebody who must have one, or who is logged in and wants one."""
    now = clock.utcnow()
    user = _half_way(request, now) or _logged_in(request)
    if user is None:
        return redirect("admin:login")
    if two_factor.is_set_up(user):
        # Who is half way in has yet to show a code, and may change nothing.
        return two_factor_page(request) if request.user.is_authenticated else redirect("log-in-code")
    authenticator = two_factor.begin(user, now)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        key = back_off.code(user.pk)
        texts = two_factor.confirm(user, form.cleaned_data["code"], now) if back_off.begin([key], now) else None
        if texts is not None:
            back_off.succeeded(key, [], now)
            audit.record(user, "two_factor_set_up", user, None, None, now=now)
            onward = reverse("admin:index")
            if request.user.is_authenticated:
                sessions.mark_verified(request.session)
            else:
                onward = _enter(request, user, now, verified=True)
            return _recovery_codes(request, texts, onward)
        form.add_error("code", gettext("That was not right: type the six digits that the app shows now."))
    context = {
        **_frame(request),
        "title": gettext("Set up two-factor log-in"),
        "form": form,
        "picture": qr(two_factor.address(authenticator)),
        "secret": two_factor.written_secret(authenticator),
    }
    return TemplateResponse(request, "admin/customers/log_in_set_up.html", context)


@never_cache
def two_factor_page(request: HttpRequest) -> HttpResponse:
    """One's own two-factor log-in: whether it is set up, and new recovery codes."""
    user = _logged_in(request)
    if user is None:
        return redirect("admin:login")
    if not two_factor.is_set_up(user):
        return redirect("log-in-set-up")
    if request.method == "POST":
        texts = two_factor.new_recovery_codes(user)
        audit.record(user, "recovery_codes", user, None, None, now=clock.utcnow())
        return _recovery_codes(request, texts, reverse("admin:index"))
    context = {**_frame(request), "title": gettext("Two-factor log-in"), "left": two_factor.codes_left(user)}
    return TemplateResponse(request, "admin/customers/two_factor.html", context)


@never_cache
@sensitive_post_parameters()
def password_change(request: HttpRequest) -> HttpResponse:
    """Django's own page; the change is noted, and every other session of the person ends with it."""
    user = _logged_in(request)
    if user is None:
        return redirect("admin:login")
    answer = admin.site.password_change(request)
    if request.method == "POST" and answer.status_code == 302:
        audit.record(user, "password", user, None, None, now=clock.utcnow())
    return answer


def _enter(request: HttpRequest, user: User, now: datetime, *, verified: bool) -> str:
    """Log in for good; the address they wanted to go to."""
    onward = request.session.pop(_NEXT, "") or reverse("admin:index")
    for key in (_WHO, _WHEN):
        request.session.pop(key, None)
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    if verified:
        sessions.mark_verified(request.session)
    audit.record(user, "log_in", user, None, {"two_factor": verified}, now=now)
    return str(onward)


def _half_way(request: HttpRequest, now: datetime) -> User | None:
    """Who has taken the first step, lately."""
    began = request.session.get(_WHEN)
    if request.user.is_authenticated or not isinstance(began, float) or now.timestamp() - began > _PATIENCE.seconds:
        return None
    return User.objects.filter(pk=request.session[_WHO], is_active=True, is_staff=True).first()


def _logged_in(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) and admin.site.has_permission(request) else None


def _recovery_codes(request: HttpRequest, texts: list[str], onward: str) -> HttpResponse:
    context = {**_frame(request), "title": gettext("Your recovery codes"), "codes": texts, "onward": onward}
    return TemplateResponse(request, "admin/customers/recovery_codes.html", context)


def _frame(request: HttpRequest) -> dict[str, Any]:
    """What every staff page needs to draw itself."""
    return admin.site.each_context(request)
