"""Log-in, under the same addresses as the admin's own, which stand behind these."""

from django.urls import path

from customers.views import log_in

urlpatterns = [
    path("login/", log_in.LogIn.as_view(), name="log-in"),
    path("login/code/", log_in.code, name="log-in-code"),
    path("login/set-up/", log_in.set_up, name="log-in-set-up"),
    path("two-factor/", log_in.two_factor_page, name="two-factor"),
    path("password_change/", log_in.password_change, name="password-change"),
]
