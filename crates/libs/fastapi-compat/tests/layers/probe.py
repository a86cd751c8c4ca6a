"""Asks Starlette's and uvicorn's middleware what they do: a JSON value per line in, one out."""

import asyncio
import json
import sys

from starlette.middleware.cors import CORSMiddleware
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware


def encode(headers):
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def decode(headers):
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


async def cors(case):
    answer = case["answer"]

    async def app(scope, receive, send):
        start = {"type": "http.response.start", "status": answer["status"]}
        await send({**start, "headers": encode(answer["headers"])})
        await send({"type": "http.response.body", "body": b"the application's"})

    sent = []

    async def send(message):
        sent.append(message)

    request = case["request"]
    scope = {"type": "http", "method": request["method"], "headers": encode(request["headers"])}
    await CORSMiddleware(app, **case["options"])(scope, None, send)
    body = b"".join(message.get("body", b"") for message in sent)
    start = sent[0]
    headers = decode(start["headers"])
    return {"status": start["status"], "headers": headers, "body": body.decode("latin-1")}


async def proxies(case):
    seen = {}

    async def app(scope, receive, send):
        seen.update(scheme=scope["scheme"], client=scope["client"])

    headers = encode(case["headers"])
    scope = {"type": "http", "scheme": "http", "client": (case["peer"], 4711), "headers": headers}
    await ProxyHeadersMiddleware(app, trusted_hosts=case["trusted"])(scope, None, None)
    return seen


for line in sys.stdin:
    case = json.loads(line)
    result = asyncio.run({"cors": cors, "proxies": proxies}[case["middleware"]](case))
    print(json.dumps(result), flush=True)
