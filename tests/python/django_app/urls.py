"""Routes, views and the sign-in log of the Django app."""

import logging

import openai
from django.conf import settings
from django.contrib.auth import authenticate, login
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.dispatch import receiver
from django.http import JsonResponse
from django.urls import include, path, re_path

log = logging.getLogger("app.auth")
log.setLevel(logging.INFO)
client = openai.OpenAI(api_key="test", base_url=settings.OPENAI_URL, max_retries=0)


@receiver(user_logged_in)
def logged_in(request, user, **_):
    log.info("signed in", extra={"event.name": "auth.login", "user.id": str(user.pk), "auth.method": "password"})


@receiver(user_login_failed)
def login_failed(credentials, request, **_):
    attempted = {"user.name": credentials["username"], "reason": "bad_password"}
    log.warning("no entry for %s", credentials["username"], extra={"event.name": "auth.login_failed", **attempted})


def home(request):
    return JsonResponse({"name": "postbro"})


def health(request):
    return JsonResponse({"ok": True})


def sign_in(request):
    user = authenticate(request, username=request.POST["username"], password=request.POST["password"])
    if user is None:
        return JsonResponse({"error": "who?"}, status=401)
    login(request, user)
    return JsonResponse({"user": user.pk})


def analysis(request, number):
    return JsonResponse({"analysis": number, "results": client.max_retries})


def analyze(request):
    client.chat.completions.create(model="gpt-5.1", messages=[{"role": "user", "content": "mail me at a@b.co"}])
    return JsonResponse({"done": True})


def export(request, kind):
    raise LookupError(f"no export for a@b.co as {kind}")


urlpatterns = [
    path("", home),
    path("health/", health),
    path("api/", include([path("auth/login/", sign_in), path("analysis/<int:number>/", analysis)])),
    path("api/analysis/analyze/", analyze),
    re_path(r"^api/export/(?P<kind>[a-z]+)/$", export),
]
