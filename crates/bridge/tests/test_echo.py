"""What passes between ASGI and Rust, with the example of `asgi-bridge` as the Rust."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import asgi
import pytest
from asgi import Message, status, text
from molt_bridge import Strangler


async def python(scope: Any, receive: Any, send: Any) -> None:
    """Answers everything, has no lifespan, and fails where it is asked to."""
    assert scope["type"] == "http"
    if scope["path"] == "/uri":
        raise ValueError("on purpose")
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message["body"]
        if not message["more_body"]:
            break
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-by", b"python")]})
    await send({"type": "http.response.body", "body": b"python" + body, "more_body": False})


Test = Callable[[Strangler], Coroutine[Any, Any, None]]


def served(tmp_path: Path, plan: str, test: Test) -> Strangler:
    """Runs a test within the lifespan of an application with this plan."""
    path = tmp_path / "plan.yaml"
    path.write_text(plan)
    app = Strangler(python, plan=path)

    async def run() -> None:
        async with asgi.lifespan(app) as answers:
            assert answers == [{"type": "lifespan.startup.complete"}]
            await asyncio.wait_for(test(app), 60)

    asyncio.run(run())
    return app


@pytest.fixture
def native(tmp_path: Path) -> Callable[[Test], Strangler]:
    return lambda test: served(tmp_path, "default: native", test)


def test_the_plan_says_who_answers(tmp_path: Path) -> None:
    async def test(app: Strangler) -> None:
        assert text(await asgi.call(app, "GET", "/who")) == "rust"
        assert text(await asgi.call(app, "POST", "/who", [b"x"])) == "pythonx"
        assert text(await asgi.call(app, "GET", "/other")) == "python"
        assert text(await asgi.call(app, "DELETE", "/who")) == "python"

    served(tmp_path, "operations: {who: native}", test)


def test_a_changed_plan_is_read_again(tmp_path: Path) -> None:
    async def test(app: Strangler) -> None:
        assert text(await asgi.call(app, "GET", "/who")) == "python"
        (tmp_path / "plan.yaml").write_text("default: native")
        while text(await asgi.call(app, "GET", "/who")) != "rust":
            await asyncio.sleep(0.1)

    served(tmp_path, "default: legacy", test)


def test_canaries_and_shadows_ask_the_application_in_this_process(tmp_path: Path) -> None:
    async def test(app: Strangler) -> None:
        assert text(await asgi.call(app, "GET", "/who")) == "python", "a shadow"
        of_none = await asgi.call(app, "POST", "/who", [b"a", b"b"])
        assert text(of_none) == "pythonab", "a canary"
        assert text(await asgi.call(app, "GET", "/dropped")) == "0", "a canary of all"
        assert status(await asgi.call(app, "GET", "/uri")) == 500, "what the application raises"

    plan = "operations: {who: shadow, echo: canary 0%, dropped: canary 100%, uri: shadow}"
    served(tmp_path, plan, test)


def test_requests_are_what_the_server_received(native: Callable[[Test], Strangler]) -> None:
    async def test(app: Strangler) -> None:
        for path, root in [("/uri?a=%20b", ""), ("/api/uri?a=%20b", "/api")]:
            assert text(await asgi.call(app, "GET", path, root_path=root)) == "/uri?a=%20b"
        encoded = await asgi.call(app, "GET", "/uri", raw_path=None, query_string=b"")
        assert text(encoded) == "/uri", "raw_path is optional"
        messages = await asgi.call(app, "GET", "/who")
        assert (b"content-length", b"4") in messages[0]["headers"]
        assert len(messages) == 2, "a short answer is one message"
        assert text(await asgi.call(app, "HEAD", "/who")) == "python", "no operation of Rust"

    native(test)


def test_bodies_stream_both_ways(native: Callable[[Test], Strangler]) -> None:
    async def test(app: Strangler) -> None:
        chunks = [b"x" * 65536] * 300
        assert text(await asgi.call(app, "POST", "/count", chunks)) == str(300 * 65536)
        assert text(await asgi.call(app, "POST", "/who", [b"a", b"", b"b"])) == "ab"
        arrivals: list[float] = []
        messages = await asgi.call(
            app, "GET", "/ticks", on_message=lambda _: arrivals.append(time.monotonic())
        )
        assert text(messages) == "".join(f"tick {tick}\n" for tick in range(5))
        assert arrivals[-1] - arrivals[1] > 0.05, "it waits for no end"

    native(test)


def test_an_early_answer_needs_no_whole_body(native: Callable[[Test], Strangler]) -> None:
    async def test(app: Strangler) -> None:
        started = await asgi.call(app, "POST", "/early", [b"x"], is_complete=False)
        assert text(started) == "early"

    native(test)


def test_trailers_pass_where_the_server_takes_them(native: Callable[[Test], Strangler]) -> None:
    async def test(app: Strangler) -> None:
        extensions: Message = {"http.response.trailers": {}}
        messages = await asgi.call(app, "GET", "/trailers", extensions=extensions)
        assert messages[0]["trailers"] is True
        assert text(messages) == "body"
        assert messages[-1]["headers"] == [(b"x-sum", b"7")]
        without = await asgi.call(app, "GET", "/trailers")
        assert all(message["type"] != "http.response.trailers" for message in without)
        assert text(without) == "body"

    native(test)


def test_a_panic_costs_one_request(native: Callable[[Test], Strangler]) -> None:
    async def test(app: Strangler) -> None:
        for _ in range(20):
            messages = await asgi.call(app, "GET", "/panic")
            assert (status(messages), text(messages)) == (500, "Internal Server Error")
            with pytest.raises(RuntimeError, match="breaks off"):
                await asgi.call(app, "GET", "/panic-later")
            assert text(await asgi.call(app, "GET", "/who")) == "rust"

    native(test)


def test_a_disconnect_ends_the_work(native: Callable[[Test], Strangler]) -> None:
    async def test(app: Strangler) -> None:
        assert await asgi.call(app, "GET", "/forever", disconnects_after=0) == []
        task = asyncio.ensure_future(asgi.call(app, "GET", "/forever"))
        await asyncio.sleep(0.1)
        task.cancel()
        while text(await asgi.call(app, "GET", "/dropped")) != "2":
            await asyncio.sleep(0.01)

    native(test)


def test_the_interpreter_is_free_while_rust_works(native: Callable[[Test], Strangler]) -> None:
    async def test(app: Strangler) -> None:
        start = time.monotonic()
        calls = asyncio.gather(*(asgi.call(app, "GET", "/sleep") for _ in range(100)))
        steps = 0
        while not calls.done():
            await asyncio.sleep(0)
            steps += 1
        assert {text(messages) for messages in await calls} == {"slept"}
        assert time.monotonic() - start < 10, "100 times 0.2 s, but at the same time"
        assert steps > 100

    native(test)


def test_memory_does_not_grow_with_requests(native: Callable[[Test], Strangler]) -> None:
    async def test(app: Strangler) -> None:
        async def many() -> int:
            for _ in range(2000):
                await asgi.call(app, "POST", "/who", [b"x" * 1000])
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

        first = await many()
        assert await many() - first < 1024, "in KiB: half a KiB for each request"

    native(test)


def test_what_cannot_start_fails_the_startup(tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text("operations: {whom: native}")

    async def run() -> None:
        app = Strangler(python, plan=plan)
        async with asgi.lifespan(app) as [answer]:
            assert answer["type"] == "lifespan.startup.failed"
            assert "'whom' is not an operation" in answer["message"]
        with pytest.raises(RuntimeError, match="whom"):
            await asgi.call(app, "GET", "/who")
        plan.write_text("operations: {who: native}")
        assert text(await asgi.call(app, "GET", "/who")) == "rust", "it may be tried again"
        await app.stop()

    asyncio.run(run())


def test_it_starts_again_after_a_stop(native: Callable[[Test], Strangler]) -> None:
    async def test(app: Strangler) -> None:
        assert text(await asgi.call(app, "GET", "/who")) == "rust"

    app = native(test)

    async def again() -> None:
        await test(app)
        await app.stop()

    asyncio.run(again())


FORKS = """
import asyncio, os, sys
import asgi, echoed

async def answer():
    print(asgi.text(await asgi.call(echoed.app, "GET", "/who")), flush=True)

async def child():
    try:
        await answer()
    except RuntimeError as error:
        print(error, flush=True)

def forked():
    if (pid := os.fork()) == 0:
        asyncio.run(child())
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0

async def main():
    await answer()
    return echoed.app

forked()
asyncio.run(main())
forked()
asyncio.run(main())
"""


def test_a_fork_before_the_start_is_none_of_its_business(tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text("default: native")
    done = subprocess.run(
        [sys.executable, "-c", FORKS],
        cwd=Path(__file__).parent,
        env={**os.environ, "PLAN": str(plan)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, parent, second, last = done.stdout.splitlines()
    assert (first, parent, last) == ("rust", "rust", "rust")
    assert "forked" in second
