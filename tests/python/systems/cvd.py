"""CVD: vending machines. Requests with polling, activity, and an audited act of every kind."""

from sdk import Service

api = Service("cvd-api")

OPERATOR = {"user.id": "op-1", "session.id": "desk-1"}
ACTS = (
    "LOGIN LOGOUT PASSWORD_CHANGE PASSWORD_RESET USER_CREATE USER_UPDATE VIEW_ACTIVITY_MONITOR VIEW_USER_ACTIVITY "
    "TERMINATE_SESSION ORDER_SYNC DEVICE_CREATE DEVICE_UPDATE DEVICE_DELETE PLANOGRAM_UPDATE PLANOGRAM_OPTIMIZE "
    "ORDER_CREATE ORDER_ASSIGN ORDER_COMPLETE ORDER_CANCEL PRODUCT_CREATE PRODUCT_UPDATE PRODUCT_PRICE_CHANGE "
    "INVENTORY_ADJUST STOCK_UPDATE LOGIN_FAILED DATA_EXPORT BULK_OPERATION PERMISSION_CHANGE CONFIG_CHANGE DEX_UPLOAD "
    "SALES_REPORT_VIEW REVENUE_EXPORT PRICE_CHANGE"
).split()

# What comes with an act: old and new values, counts, whom it is about.
TOLD = {
    "PERMISSION_CHANGE": {"resource_type": "user", "resource_id": "op-2", "old_role": "viewer", "new_role": "admin"},
    "PRICE_CHANGE": {"resource_type": "product", "resource_id": "sku-9", "old_price": "1.80", "new_price": "2.10"},
    "DATA_EXPORT": {"resource_type": "report", "format": "csv", "affected_records": 12_500, "details": "asked by kim@vend.example"},
    "BULK_OPERATION": {"resource_type": "device", "affected_records": 240},
    "DEVICE_UPDATE": {"resource_type": "device", "resource_id": "dev-7", "old_value": "offline", "new_value": "online"},
    "LOGIN_FAILED": {"username": "hunter2", "attempt_count": 3, "max_attempts": 5, "ip_address": "198.51.100.9", "reason": "bad password"},
    "USER_CREATE": {"resource_type": "user", "resource_id": "op-2", "email": "op2@vend.example"},
}


def request(second, method, route, status, attributes):
    told = {"http.request.method": method, "http.route": route, "url.path": route, "http.response.status_code": status}
    api.span(second, 20, f"{method} {route}", "SERVER", told | OPERATOR | attributes)


def activity():
    request(0, "GET", "/api/devices", 200, {"app.rows_returned": 120})
    request(1, "PUT", "/api/planograms/:id", 422, {"app.error.code": "SLOT_TAKEN", "http.response.body.size": 64})
    for second in range(10, 310, 30):
        request(second, "GET", "/api/status/poll", 200, {})
    request(310, "GET", "/api/status/poll", 500, {})
    api.event(320, "browser.navigation", OPERATOR | {"url.full": "https://cvd.example/planograms/3?tab=slots"})
    api.event(330, "file.download", OPERATOR | {"file.name": "dex.csv", "file.size": 4096})


def audit():
    for number, act in enumerate(ACTS):
        who = {"app.audit.actor.id": "op-1", "app.audit.actor.type": "user"}
        if act in ("LOGIN", "LOGOUT", "PASSWORD_CHANGE"):
            who = OPERATOR
        elif act == "LOGIN_FAILED":
            who = {}
        api.event(1000 + number, f"audit.{act.lower()}", who | TOLD.get(act, {}))


activity()
audit()
api.close()
