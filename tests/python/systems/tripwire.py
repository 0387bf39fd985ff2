"""Tripwire: what the academy's backend logs today, under its own names: USER_CREATED, VIDEO_VIEW, API_ERROR."""

from sdk import Service

api = Service("tripwire-api")

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"
AIGERIM = {"user_id": "t-1"}
DAMIR = {"user_id": "t-2"}


def accounts():
    created = {
        "full_name": "Aigerim Planted",
        "email": "Aigerim@Planted.example",
        "phone": "8 (701) 555-12-34",
        "created_by": "manager-1",
        "manager_name": "Manager Planted",
        "event.category": "activity",
        "duration_ms": 420,
        "email_sent": True,
    }
    api.event(0, "USER_CREATED", AIGERIM | created, "student Aigerim@Planted.example was created")
    api.event(60, "LOGIN", AIGERIM | {"event.category": "auth", "ip": "203.0.113.50", "userAgent": CHROME}, "signed in")
    # The same person as somebody else would write her down.
    known = {"email": "aigerim@planted.example", "phone": "+77015551234"}
    api.event(70, "LOGIN_FAILED", known | {"reason": "bad password", "ip": "203.0.113.51"}, severity="warning")
    api.event(3600, "LOGOUT", AIGERIM | {"event.category": "auth"}, "signed out")


def lessons():
    lesson = {"lesson_id": "lesson-4", "event.category": "activity"}
    api.event(120, "VIDEO_VIEW", AIGERIM | lesson | {"duration_ms": 90_000}, "watched lesson 4")
    api.event(180, "HOMEWORK_SUBMIT", AIGERIM | lesson, "homework of lesson 4")
    api.event(200, "LESSON_COMPLETE", AIGERIM | lesson, "lesson 4 done")
    api.event(210, "VIDEO_VIEW", DAMIR | lesson, "watched lesson 4", "debug")


def errors():
    broken = {
        "message": "Cannot read properties of undefined",
        "stack": "TypeError: Cannot read properties of undefined\n    at Lesson (app.js:10:5)",
        "url": "https://academy.example/lessons/4?token=abc123secret",
        "component": "LessonPlayer",
        "userAgent": CHROME,
        "userEmail": "damir@planted.example",
    }
    api.event(300, "CLIENT_ERROR", DAMIR | broken, severity="error")
    refused = {
        "method": "POST",
        "url": "/api/homework/17",
        "statusCode": 502,
        "response": '{"error": "no mail for damir@planted.example"}',
        "userAgent": CHROME,
        "ip": "203.0.113.52",
    }
    api.event(310, "API_ERROR", DAMIR | refused, "homework was not stored", "critical")


def health():
    """Nobody told the collector of this one."""
    for minute in range(3):
        api.event(minute * 60, "SYSTEM_HEALTH", {"cpu": 0.5}, "healthy")


accounts()
lessons()
errors()
health()
api.close()
