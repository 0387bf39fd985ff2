"""Says on the span of the request who the user is and in which session: what every team has to write itself."""

import hashlib

from opentelemetry import trace


class Identify:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.user.is_authenticated:
            span = trace.get_current_span()
            span.set_attribute("user.id", str(request.user.pk))
            # The session's key opens the account, so that teams send its hash.
            span.set_attribute("session.id", hashlib.sha256(request.session.session_key.encode()).hexdigest()[:32])
        return self.get_response(request)
