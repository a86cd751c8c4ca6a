"""A service that has nothing to do with Molt: notes, on Python's standard library."""

import base64
import datetime
import json
import sys
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NOTES: dict[str, dict[str, object]] = {}


def token(subject: str) -> str:
    """As a JWT is written; its signature is of no key, as no other service can check it."""

    def part(claims: dict[str, str]) -> str:
        text = json.dumps(claims, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(text).rstrip(b"=").decode()

    return f"{part({'alg': 'HS256'})}.{part({'sub': subject})}.{uuid.uuid4().hex}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        text = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self) -> None:
        if self.path == "/notes":
            return self.answer(200, {"notes": list(NOTES.values()), "count": len(NOTES)})
        if self.path == "/price":
            return self.answer(200, {"price": 1.0, "currency": None})
        if self.path == "/text":
            return self.answer(200, "é")
        note = NOTES.get(self.path.removeprefix("/notes/"))
        if note is None:
            return self.answer(404, {"detail": "no such note"})
        return self.answer(200, note, {"x-kind": "note"})

    def do_POST(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/tokens":
            return self.answer(200, {"token": token(given["name"])})
        if not given.get("text"):
            return self.answer(422, {"detail": "text is missing"})
        now = datetime.datetime.now(datetime.timezone.utc)
        created = now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        note = {"id": str(uuid.uuid4()), "text": given["text"], "created_at": created}
        NOTES[note["id"]] = note
        return self.answer(201, note)

    def do_DELETE(self) -> None:
        NOTES.pop(self.path.removeprefix("/notes/"), None)
        return self.answer(200, {})

    def log_message(self, *_: object) -> None:
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(f"Notes on http://127.0.0.1:{server.server_port}", flush=True)
sys.stdout.close()
server.serve_forever()
