"""A Django app under `opentelemetry-instrument`, and the visits that it gets in the test.

The settings have to be importable before this file runs, so PYTHONPATH names this folder.
"""

import http.client
import socket
import threading
from socketserver import ThreadingMixIn
from urllib.parse import urlencode
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

# The provider's name leads to its stand-in, so that HTTP spans look as they do in production.
resolve = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: resolve("127.0.0.1" if host == "api.openai.com" else host, *rest, **more)

LOGIN = "/api/auth/login/"

VISITS = [
    ("GET", "/health/", None, 200),
    ("GET", "/?ref=mail", None, 200),
    ("POST", LOGIN, {"username": "ada@b.co", "password": "a guess"}, 401),
    ("POST", LOGIN, {"username": "ada@b.co", "password": "right"}, 200),
    ("GET", "/api/analysis/7/", None, 200),
    ("GET", "/api/analysis/analyze/", None, 200),
    ("GET", "/api/export/csv/", None, 500),
    ("GET", "/nowhere/", None, 404),
]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        """Says nothing: the test's output is the test's."""


def visit(port, method, path, form, cookie):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"cookie": cookie, "user-agent": "Mozilla/5.0 test"}
    if form is not None:
        headers["content-type"] = "application/x-www-form-urlencoded"
    connection.request(method, path, body=urlencode(form) if form else None, headers=headers)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status, (response.getheader("set-cookie") or cookie).split(";")[0]


def main():
    django.setup()
    call_command("migrate", verbosity=0)
    get_user_model().objects.create_user("ada@b.co", email="ada@b.co", password="right")
    server = make_server("127.0.0.1", 0, get_wsgi_application(), server_class=Server, handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    cookie = ""
    for method, path, form, expected in VISITS:
        status, cookie = visit(server.server_port, method, path, form, cookie)
        if status != expected:
            raise SystemExit(f"{method} {path} answered {status}, not {expected}")
    server.shutdown()


if __name__ == "__main__":
    main()
