"""Sends a log over TLS, with and without the token: secure.py PORT CERTIFICATE TOKEN. Prints the answers' statuses."""

import json
import sys

import requests


def main():
    port, certificate, token = sys.argv[1:]
    body = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "over TLS"}}]}]}]})
    found = []
    for authorization in (f"Bearer {token}", "Bearer wrong", None):
        headers = {"content-type": "application/json"} | ({"authorization": authorization} if authorization else {})
        answer = requests.post(f"https://localhost:{port}/v1/logs", data=body, headers=headers, verify=certificate, timeout=30)
        found.append(answer.status_code)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
