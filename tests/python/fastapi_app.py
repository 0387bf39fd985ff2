"""A FastAPI app under `opentelemetry-instrument`, and the visits that it gets in the test."""

import http.client
import threading
import time

import uvicorn
from fastapi import FastAPI

app = FastAPI()


@app.get("/items/{item}")
def item(item: int):
    return {"item": item}


@app.get("/boom")
def boom():
    raise ValueError("kaboom user=a@b.co")


VISITS = [("/items/1", 200), ("/items/2", 200), ("/items/3", 200), ("/boom", 500)]


def main():
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    for path, status in VISITS:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        connection.close()
        if response.status != status:
            raise SystemExit(f"GET {path} answered {response.status}, not {status}")
    server.should_exit = True
    thread.join()


if __name__ == "__main__":
    main()
