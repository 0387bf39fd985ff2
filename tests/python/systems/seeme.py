"""SeeMe: an iOS app that tells as OTLP/JSON by itself, as a phone without an SDK does, and its backend with the real SDK.

seeme.py good      the app and its backend as they should be
seeme.py incident  what happened: the app named no user, the backend wrote `ai_usage`, which nobody reads
"""

import json
import sys
import time
import urllib.request

from sdk import ENDPOINT, Service, at

KEY = "sk_" + "0a1b2c3d" * 6
OLD_KEY = "sk_" + "9f8e7d6c" * 6
HOUR = 3600


def any_value(value):
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": value}


def attributes(values):
    return [{"key": key, "value": any_value(value)} for key, value in values.items()]


class Phone:
    """What the app has to say waits in a list, as its offline queue does."""

    def __init__(self):
        self.records = []

    def event(self, moment, name, values, observed=None, severity=9):
        record = {"timeUnixNano": str(moment), "observedTimeUnixNano": str(observed or moment), "eventName": name}
        self.records.append(record | {"severityNumber": severity, "attributes": attributes(values)})

    def send(self):
        resource = {"attributes": attributes({"service.name": "seeme-ios", "os.name": "iOS"})}
        logs = {"resource": resource, "scopeLogs": [{"scope": {"name": "app"}, "logRecords": self.records}]}
        request = urllib.request.Request(
            f"{ENDPOINT}/v1/logs",
            json.dumps({"resourceLogs": [logs]}).encode(),
            {"content-type": "application/json", "user-agent": "SeeMe/3.1 CFNetwork/1490 Darwin/23.5"},
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            if response.status != 200 or json.load(response):
                raise SystemExit(f"the app was answered {response.status}")


def app(phone):
    ana = {"user.id": "ana", "session.id": "s-1", "app.installation.id": "phone-1"}
    day = [
        (0, "session.start", {}),
        (1, "app.nav_complete", {"app.screen.name": "Home"}),
        (10, "app.coach.session.start", {"app.coach.id": "zen"}),
        (200, "app.coach.session.end", {"app.coach.id": "zen", "app.duration_ms": 190_000}),
        (210, "app.feature.use", {"app.feature.name": "journal", "app.duration_ms": 4_200}),
        (300, "session.end", {"app.session.end_reason": "background"}),
    ]
    for second, name, values in day:
        phone.event(at(second), name, ana | values)
    limit = {"app.rate_limit.kind": "voice", "app.rate_limit.limit": 5, "app.api_key": KEY}
    phone.event(at(12), "app.rate_limit.check", ana | limit | {"app.rate_limit.count": 5, "app.rate_limit.allowed": True})
    phone.event(at(13), "app.rate_limit.check", ana | limit | {"app.rate_limit.count": 6, "app.rate_limit.allowed": False})
    # A call that the app made by itself, under the names of its own table: a total of tokens cannot be priced.
    own = {"userId": "ana", "sessionId": "s-1", "provider": "gemini", "model": "gemini-2.5-flash", "promptType": "journal"}
    own |= {"interactionType": "conversation", "coachId": "zen", "tokensUsed": 321, "responseTimeMs": 640, "status": "success"}
    phone.event(at(80), "ai_interaction", own)
    # The offline queue: a flight of 26 hours before, told when there was a network again.
    lost = {"app.error.category": "network", "app.screen.name": "Coach", "app.action": "send", "network.connection.type": "unavailable"}
    for number in range(2):
        told = {"error.type": "NETWORK_TIMEOUT", "error.message": f"no answer for ana@see.example ({number})"}
        moment = at(number - 26 * HOUR)
        phone.event(moment, "app.error", ana | lost | told, observed=moment + 26 * HOUR * 10**9, severity=17)


def calls(backend):
    ben = {"user.id": "ben", "session.id": "s-2"}
    chat = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5.1",
        "gen_ai.prompt.name": "coach",
        "gen_ai.agent.id": "zen",
        "app.feature.name": "coach",
    }

    def call(second, milliseconds, user, values, failure=None):
        route = {"http.request.method": "POST", "http.route": "/api/coach", "http.response.status_code": 200}
        parent = backend.span(second, milliseconds, "POST /api/coach", "SERVER", route | user)
        return backend.span(second, milliseconds, "call", "CLIENT", values, parent, failure)

    ana = {"user.id": "ana", "session.id": "s-1"}
    usage = {"gen_ai.usage.input_tokens": 2006, "gen_ai.usage.output_tokens": 300, "gen_ai.usage.cache_read.input_tokens": 1920}
    lengths = {"app.ai.message_length": 40, "app.ai.response_length": 900, "http.request.header.x-request-id": "req-1"}
    call(20, 1500, ana, chat | usage | lengths)
    call(30, 5, ana, chat | {"app.cache_hit": True, "gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 5})
    late = {"error.type": "STREAM_TIMEOUT", "app.error.category": "timeout", "exception.message": "ben@see.example waited"}
    call(40, 30_000, ben, chat | late, "no data")
    cut = {"gen_ai.request.stream": True, "app.stream_aborted": True, "gen_ai.response.time_to_first_chunk": 0.25}
    call(50, 2_000, ben, chat | cut)
    image = {"gen_ai.operation.name": "image_generation", "gen_ai.request.model": "dall-e-3", "gen_ai.output.type": "image"}
    size = {"app.ai.images": 2, "app.ai.image_size": "1024x1024", "app.ai.image_quality": "standard"}
    call(60, 9_000, ben, chat | image | size)
    speech = {
        "gen_ai.operation.name": "text_to_speech",
        "gen_ai.provider.name": "elevenlabs",
        "gen_ai.request.model": "eleven_multilingual_v2",
        "gen_ai.output.type": "speech",
        "elevenlabs.characters": 1000,
        "app.api_key": KEY,
        "server.address": "api.elevenlabs.io",
    }
    call(70, 800, ana, speech)


def keys(backend):
    """Of this month, whatever day it is: the plan counts by month."""
    month = time.gmtime()
    first = int(time.time()) - ((month.tm_mday - 1) * 86400 + month.tm_hour * HOUR + month.tm_min * 60 + month.tm_sec)
    now = max(first, int(time.time()) - 60) - at(0) // 10**9
    plan = {"app.key.provider": "elevenlabs", "app.key.limit": 10_000}
    backend.event(now, "app.key.rotated", plan | {"app.key.from": OLD_KEY, "app.key.to": KEY, "app.key.reason": "exhausted"})
    backend.event(now, "app.key.exhausted", plan | {"app.api_key": OLD_KEY, "app.key.characters": 10_000})
    backend.event(now + 1, "app.key.usage", plan | {"app.api_key": KEY, "elevenlabs.characters": 1000})
    backend.event(now + 2, "app.key.health", plan | {"app.api_key": KEY, "app.key.characters": 9_200, "app.key.health": "critical"})
    backend.event(now + 3, "app.key.rate_limited", plan | {"app.api_key": KEY, "error.type": "too_many_concurrent_requests"})


def incident(phone, backend):
    """The app says `anonymous`; the backend counts its calls under a name that the dashboard does not read."""
    for second in range(4):
        told = {"userId": "anonymous", "provider": "openai", "tokensUsed": 100, "status": "success"}
        phone.event(at(second), "ai_interaction", told)
    for second in range(3):
        backend.event(second, "ai_usage", {"user.id": "ana", "provider": "openai", "tokens": 100})


def main():
    phone, backend = Phone(), Service("seeme-api")
    if sys.argv[1] == "good":
        app(phone)
        calls(backend)
        keys(backend)
    else:
        incident(phone, backend)
    phone.send()
    backend.close()


if __name__ == "__main__":
    main()
