"""Optio: a school for children. All 28 kinds of event, two sessions of one child, a visitor, a parent."""

from sdk import Service

app = Service("optio-web")

IPAD = "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
LEA = {"user_id": "lea", "session_id": "lea-1", "user_agent": IPAD, "ip_address": "203.0.113.77"}
QUEST = {"quest_id": "quest-1", "pillar": "science"}
MAIL = "lea@family.example"

# Second, name, what comes with it.
DAY = [
    (0, "login_success", {}),
    (1, "page_view", {"page_path": "/quests", "load_time": 640}),
    (2, "quest_viewed", QUEST),
    (30, "quest_started", QUEST),
    (40, "task_viewed", {"task_id": "task-1"}),
    (200, "task_completed", {"task_id": "task-1", "xp": 50}),
    (210, "evidence_uploaded", {"evidence_id": "e-1", "file_name": f"essay of {MAIL}.pdf"}),
    (220, "quest_completed", QUEST | {"xp": 200}),
    (225, "badge_viewed", {"badge_id": "b-1"}),
    (226, "badge_earned", {"badge_id": "b-1"}),
    (227, "badge_claimed", {"badge_id": "b-1"}),
    (240, "page_exit", {"page_path": "/quests", "duration": 239_000}),
    (241, "route_change", {"page_path": "/tutor"}),
    (242, "tutor_opened", {}),
    (250, "tutor_message_sent", {"message_text": f"I am {MAIL}, help me", "message_length": 31}),
    (251, "tutor_safety_flag", {"safety_reason": "personal data", "flagged": True}),
    (260, "connection_request_sent", {"recipient_id": "max"}),
    (261, "profile_viewed", {"profile_id": "max"}),
    (270, "quest_abandoned", {"quest_id": "quest-2"}),
    (280, "javascript_error", {"error_type": "TypeError", "message": f"{MAIL} is null", "component": "Quest", "page_url": "/tutor?as=lea"}),
    (281, "api_error", {"message": "no answer", "api_endpoint": "/api/quests/17", "status_code": 503}),
    (282, "network_error", {"message": "offline"}),
    (300, "logout", {}),
]
PARENT = [
    (400, "login_success", {}),
    (401, "parent_dashboard_opened", {"child_id": "lea"}),
    (410, "parent_evidence_uploaded", {"child_id": "lea", "evidence_id": "e-2"}),
    (420, "session_expired", {}),
]
FRIEND = [
    (500, "login_failed", {"username": "max@family.example", "reason": "bad password"}),
    (510, "connection_accepted", {"requester_id": "lea"}),
    (511, "quest_viewed", QUEST),
    (512, "quest_started", QUEST),
]


def tell(events, who):
    for second, name, attributes in events:
        # Messages are told as attributes, the way the app's own client does; severity follows the kind.
        severity = "critical" if name == "tutor_safety_flag" else "error" if name.endswith("_error") else "info"
        app.event(second, name, who | attributes, severity=severity)


def visitors():
    """Four more pupils who look at one page: the visit of the first is a bounce."""
    for number in range(4):
        who = {"user_id": f"pupil-{number}", "session_id": f"visit-{number}"}
        view = {"page_path": "/quests", "load_time": 200}
        app.event(600 + number, "page_view", who | view)
        if number > 0:
            app.event(700 + number, "page_view", who | view | {"page_path": "/badges"})


def later():
    """The cookie lives for a month: the next visit bears the same session. What the school works out is of none."""
    view = {"page_path": "/badges", "load_time": 310}
    app.event(7200, "page_view", LEA | view)
    app.event(7260, "badge_viewed", LEA | {"badge_id": "b-1"})
    app.event(8000, "learning.milestone", {"user_id": "lea", "risk_score": 0.25, "engagement_level": "high"})


tell(DAY, LEA)
tell(PARENT, {"user_id": "mum", "session_id": "mum-1"})
tell(FRIEND, {"user_id": "max", "session_id": "max-1"})
visitors()
later()
app.close()
