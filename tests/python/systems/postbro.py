"""PostBro: a Django service and its Celery worker as they report with the instrumentations' default, older names."""

from sdk import Service

web, worker = Service("postbro-web"), Service("postbro-worker")

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def request(second, method, route, status, milliseconds, user=None, query="", ip="203.0.113.7", size=0, failure=None):
    attributes = {
        "http.method": method,
        "http.url": f"https://postbro.example/{route.replace('<int:pk>', '7')}{query}",
        "http.route": route,
        "http.status_code": status,
        "http.user_agent": FIREFOX,
        "net.peer.ip": ip,
        "http.response_content_length": size,
    }
    if user:
        attributes |= {"user.id": user, "session.id": f"session of {user}"}
    return web.span(second, milliseconds, f"{method} {route}", "SERVER", attributes, failure=failure)


def call(service, second, milliseconds, parent, attributes, failure=None):
    method = {"http.method": "POST"} if "http.url" in attributes else {}
    service.span(second, milliseconds, "call", "CLIENT", method | attributes, parent, failure)


def gemini(service, second, parent, tokens, user=None):
    attributes = {
        "gen_ai.operation.name": "generate_content",
        "gen_ai.provider.name": "gcp.gemini",
        "gen_ai.request.model": "gemini-2.5-pro",
    }
    if user:
        attributes["user.id"] = user
    if tokens:
        attributes |= {"gen_ai.usage.input_tokens": tokens[0], "gen_ai.usage.output_tokens": tokens[1]}
        call(service, second, 700, parent, attributes)
    else:
        failure = "quota of kim@mail.example is used up"
        call(service, second, 700, parent, attributes | {"error.type": "ResourceExhausted"}, failure)


def brightdata(service, second, parent, status):
    url = "https://api.brightdata.com/dca/trigger?token=7f3a9b2c4d5e6f708192a3b4c5d6e7f8"
    attributes = {"peer.service": "brightdata", "http.url": url, "http.status_code": status}
    call(service, second, 40, parent, attributes, "bad gateway" if status >= 500 else None)


def supabase(service, second, parent):
    url = "https://abc.supabase.co/rest/v1/users?email=eq.kim@mail.example"
    attributes = {"net.peer.name": "abc.supabase.co", "http.url": url, "http.status_code": 200}
    call(service, second, 25, parent, attributes)


def access():
    request(0, "GET", "api/posts/", 200, 12, "101", "?page=2&email=kim@mail.example", size=2048)
    analysis = request(1, "POST", "api/analysis/analyze/", 201, 850, "101", size=4096)
    gemini(web, 1.01, analysis, (1000, 100))
    brightdata(web, 1.02, analysis, 200)
    supabase(web, 1.03, analysis)
    failed = request(2, "POST", "api/analysis/analyze/", 502, 900, "102", failure="bad gateway")
    gemini(web, 2.01, failed, None)
    brightdata(web, 2.02, failed, 500)
    request(3, "GET", "api/posts/", 401, 2)
    request(4, "DELETE", "api/posts/<int:pk>/", 404, 5, "101")
    request(5, "GET", "api/posts/", 429, 1, "102")
    # Endpoints that nobody wants to see, unless they fail.
    request(6, "GET", "health/", 200, 1)
    request(7, "GET", "health/live/", 503, 1, failure="no database")
    request(8, "GET", "static/app.js", 200, 1)


def authentication():
    seen = {"client.address": "203.0.113.7", "user_agent.original": FIREFOX}
    for second, event in enumerate(("signup", "login", "token_refresh", "password_reset", "logout")):
        web.event(20 + second, f"auth.{event}", seen | {"user.id": "103"})
    guess = {"client.address": "198.51.100.66", "auth.failure_reason": "bad password"}
    for second in range(6):
        names = {"user.name": f"kim{second % 3}@mail.example"}
        web.event(40 + second * 10, "auth.login_failed", guess | names, f"no entry for {names['user.name']}", "warning")


def tasks():
    task = worker.span(100, 900, "run/analysis.tasks.refresh", "CONSUMER", {"celery.task_name": "refresh"})
    gemini(worker, 100.1, task, (200, 20), "101")


access()
authentication()
tasks()
web.close()
worker.close()
