"""The Python side of the tests: a Celery application, and a producer that takes requests.

As a worker: `celery -A peer worker`. As a producer: `peer.main()`, a request in JSON on each
line of its input, an answer on each line of its output.
"""

import json
import os
import sys

import redis
from celery import Celery, chain
from celery.exceptions import TimeoutError as NoResult

app = Celery("peer", broker=os.environ["BROKER"], backend=os.environ["BACKEND"])
app.conf.update(
    accept_content=["json"],
    broker_connection_retry_on_startup=True,
    broker_transport_options={"confirm_publish": True},
    task_acks_late=True,
    task_default_queue=os.environ["QUEUE"],
    task_time_limit=600,
)
store = redis.Redis.from_url(os.environ["STORE"])


class Refused(Exception):
    """An exception of the application's own."""


@app.task(name="peer.echo", bind=True)
def echo(self, a, b=None, c=None):
    store.incr(f"runs-{self.request.id}")
    return [a, b, c]


@app.task(name="peer.add")
def add(a, b):
    return a + b


@app.task(name="peer.refuse")
def refuse(text):
    raise Refused(text)


def send(request):
    call = app.signature(
        request["task"], args=request.get("args", []), kwargs=request.get("kwargs", {})
    )
    options = request.get("options", {})
    for name in ("link", "link_error"):
        if name in options:
            options[name] = app.signature(options[name])
    return call.apply_async(**options).id


def send_chain(request):
    calls = [app.signature(task, args=args) for task, args in request["calls"]]
    result = chain(calls)()
    ids = []
    while result is not None:
        ids.insert(0, result.id)
        result = result.parent
    return ids


def result_of(request):
    result = app.AsyncResult(request["id"])
    try:
        value = result.get(timeout=request.get("timeout", 30))
    except NoResult:
        return {"state": result.state, "timeout": True}
    except Exception as error:
        kind = type(error)
        raised = [kind.__module__, kind.__name__, [repr(arg) for arg in error.args]]
        return {"state": result.state, "raised": raised}
    children = [child.id for child in result.children or []]
    return {"state": result.state, "value": value, "children": children}


def many(request):
    return [OPERATIONS[one["do"]](one) for one in request["requests"]]


def inspect(request):
    return getattr(app.control.inspect(timeout=5), request["what"])()


def revoke(request):
    app.control.revoke(request["id"])


OPERATIONS = {
    "send": send,
    "chain": send_chain,
    "result": result_of,
    "many": many,
    "inspect": inspect,
    "revoke": revoke,
}


def main():
    for line in sys.stdin:
        request = json.loads(line)
        answer = OPERATIONS[request["do"]](request)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    # Results that are collected while the interpreter ends would connect once more.
    os._exit(0)
