"""The bridge under ASGI servers: with one worker and two, with WebSockets, below a prefix."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import websockets

TESTS = Path(__file__).parent


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


SERVERS = {
    "uvicorn": ["uvicorn", "echoed:app", "--port"],
    "uvicorn, two workers": ["uvicorn", "echoed:app", "--workers", "2", "--port"],
    "uvicorn, without lifespan": ["uvicorn", "echoed:app", "--lifespan", "off", "--port"],
    "granian": ["granian", "echoed:app", "--interface", "asgi", "--port"],
    "granian, two workers": [
        *["granian", "echoed:app", "--interface", "asgi", "--workers", "2", "--port"],
    ],
}


class Server:
    """A server with the example behind it, until it is stopped."""

    def __init__(self, command: list[str], folder: Path) -> None:
        plan = folder / "plan.yaml"
        plan.write_text("default: native\n")
        port = free_port()
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command, str(port)],
                cwd=TESTS,
                env={**os.environ, "PLAN": str(plan)},
                stdout=log,
                stderr=log,
            )
        self.url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"{self.url}/pid")
                return
            except httpx.TransportError:
                assert time.monotonic() < deadline and self.process.poll() is None, self.text()
                time.sleep(0.05)

    def text(self) -> str:
        return self.log.read_text()

    def stop(self) -> float:
        """Seconds until it has ended by SIGTERM."""
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        return time.monotonic() - start

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    server = Server(SERVERS[request.param], tmp_path)
    yield server
    server.kill()


async def load(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:

        async def one(number: int) -> None:
            body = f"{number}-".encode() * 500
            assert (await client.post("/who", content=body)).content == body
            assert (await client.get("/who")).text == "rust"
            assert (await client.post("/only-python", content=body)).text == str(len(body))
            assert (await client.get("/panic")).status_code == 500

        for start in range(0, 100, 20):
            await asyncio.gather(*(one(start + number) for number in range(20)))


def test_both_languages_answer_until_the_server_is_stopped(server: Server) -> None:
    asyncio.run(load(server.url))
    ticks: list[float] = []
    with httpx.stream("GET", f"{server.url}/ticks") as response:
        for _ in response.iter_lines():
            ticks.append(time.monotonic())
    assert len(ticks) == 5
    assert ticks[-1] - ticks[0] > 0.05, "streamed"
    chunks = (b"x" * 10_000 for _ in range(500))
    assert httpx.post(f"{server.url}/count", content=chunks).text == "5000000"
    assert httpx.post(f"{server.url}/who", content=b"").text == ""
    assert httpx.get(f"{server.url}/fails").status_code == 500
    assert server.stop() < 10, server.text()


@pytest.mark.parametrize("name", ["uvicorn", "granian"])
def test_a_client_that_disconnects_ends_the_work(name: str, tmp_path: Path) -> None:
    server = Server(SERVERS[name], tmp_path)
    try:
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{server.url}/forever", timeout=0.3)
        deadline = time.monotonic() + 10
        while httpx.get(f"{server.url}/dropped").text != "1":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert server.stop() < 10
    finally:
        server.kill()


def test_a_shutdown_finishes_what_is_in_hand(tmp_path: Path) -> None:
    server = Server(SERVERS["uvicorn"], tmp_path)
    answers: list[str] = []
    request = threading.Thread(
        target=lambda: answers.append(httpx.get(f"{server.url}/sleep", timeout=30).text)
    )
    try:
        request.start()
        time.sleep(0.1)
        server.stop()
        request.join()
        assert answers == ["slept"], server.text()
    finally:
        server.kill()


def test_websockets_stay_with_python(tmp_path: Path) -> None:
    server = Server(SERVERS["uvicorn"], tmp_path)

    async def test() -> None:
        async with websockets.connect(f"ws{server.url.removeprefix('http')}/socket") as socket:
            await socket.send("there and")
            assert await socket.recv() == "there and back"

    try:
        asyncio.run(test())
    finally:
        server.kill()


def test_a_prefix_of_the_server_is_no_part_of_the_path(tmp_path: Path) -> None:
    server = Server(["uvicorn", "echoed:app", "--root-path", "/api", "--port"], tmp_path)
    try:
        assert httpx.get(f"{server.url}/uri?a=b").text == "/uri?a=b"
    finally:
        server.kill()


def test_a_restart_by_uvicorns_reload_has_a_bridge_of_its_own(tmp_path: Path) -> None:
    command = ["uvicorn", "echoed:app", "--reload", "--reload-dir", str(tmp_path), "--port"]
    server = Server(command, tmp_path)
    try:
        assert httpx.get(f"{server.url}/who").text == "rust"
        before = httpx.get(f"{server.url}/pid").text
        deadline = time.monotonic() + 30
        while True:
            (tmp_path / "changed.py").write_text(f"# {time.monotonic()}\n")
            time.sleep(0.2)
            try:
                if httpx.get(f"{server.url}/pid").text != before:
                    break
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline, server.text()
        assert httpx.get(f"{server.url}/who").text == "rust"
        server.stop()
    finally:
        server.kill()
