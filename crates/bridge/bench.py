"""What the bridge costs and saves: bench.py RESULTS requests, or RESULTS functions.

In this process and without a server, so that the figures are the bridge's own: medians of single
calls, the variants in turn.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

ROUNDS = 3000
ROWS = 100_000


async def call(app: Any, path: str) -> None:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"test"), (b"accept", b"*/*"), (b"user-agent", b"bench")],
        "client": ("192.0.2.1", 4000),
        "server": ("192.0.2.2", 80),
        "extensions": {},
        "state": {},
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_: dict[str, Any]) -> None:
        pass

    await app(scope, receive, send)


async def medians(calls: dict[str, Callable[[], Awaitable[None]]]) -> dict[str, float]:
    """Microseconds of each, called in turn."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(ROUNDS + 100):
        for name, one in calls.items():
            start = time.perf_counter()
            await one()
            if number >= 100:
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(each) * 1e6 for name, each in times.items()}


async def requests(folder: Path) -> dict[str, float]:
    import echoed
    from molt_bridge import Strangler

    plans = {}
    for mode in ("legacy", "native"):
        plan = folder / f"bench-{mode}.yaml"
        plan.write_text(f"default: {mode}\n")
        plans[mode] = Strangler(echoed.python, plan=plan)
        await plans[mode].start()
    found = await medians(
        {
            "an operation of Python": lambda: call(echoed.python, "/who"),
            "the same behind the bridge": lambda: call(plans["legacy"], "/who"),
            "an operation of Rust": lambda: call(plans["native"], "/who"),
        }
    )
    for strangler in plans.values():
        await strangler.stop()
    return found


def milliseconds(work: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times) * 1e3


def in_threads(read: Callable[[str], object], texts: list[str]) -> None:
    threads = [threading.Thread(target=read, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def functions() -> dict[str, float]:
    from app.imports import read_items_in_python
    from molt_bridge.functions import read_items

    header = "title,description\n"
    rows = [f'"title, {number}",description {number}\n' for number in range(ROWS)]
    text = header + "".join(rows)
    single = [header + row for row in rows]
    return {
        f"{ROWS:,} rows in Python": milliseconds(lambda: read_items_in_python(text)),
        "in Rust, one call": milliseconds(lambda: read_items(text)),
        "in Rust, a call for each row": milliseconds(lambda: [read_items(row) for row in single]),
        "four times as many in Rust, four threads": milliseconds(
            lambda: in_threads(read_items, [text] * 4)
        ),
        "four times as many in Python, four threads": milliseconds(
            lambda: in_threads(read_items_in_python, [text] * 4)
        ),
    }


def main() -> None:
    results = Path(sys.argv[1])
    known = json.loads(results.read_text()) if results.exists() else {"cpus": os.cpu_count()}
    if sys.argv[2] == "requests":
        known["microseconds"] = asyncio.run(requests(results.parent))
    else:
        known["milliseconds"] = functions()
    results.write_text(json.dumps(known, indent=2) + "\n")
    unit = "microseconds" if sys.argv[2] == "requests" else "milliseconds"
    for name, value in known[unit].items():
        sys.stdout.write(f"{value:10.1f} {unit}: {name}\n")


main()
