"""Puts the strangler before public services and compares what clients get directly and through it.

    python3 run.py [--count 1000] [--seed 7] [titiler] [chromadb] [prefect] [websockets]

The services are installed from the package index that pip is configured with, each into a virtual
environment under target/third-party, and started on loopback:

- titiler: 1,000 reads of one instance, tiles and images among them, are equal to the byte;
- chromadb, prefect: what `contract` generates from their documents, 1,000 requests, is answered
  alike by two fresh instances, one directly and one through the strangler;
- prefect: its own client runs a flow of 20 tasks through the strangler. What it has done is known
  to the server by events alone, which come over a WebSocket;
- websockets: 1,000 messages and close codes, over uvicorn's two implementations.

Exit code 1 if anything differs. It needs target/debug/molt and target/debug/contract.
"""

import argparse
import contextlib
import http.client
import json
import math
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
HERE = Path(__file__).resolve().parent
WORK = ROOT / "target/third-party"
VERSIONS = {
    "titiler": ["titiler.application==2.4.0", "uvicorn"],
    "chromadb": ["chromadb==1.0.0"],
    "prefect": ["prefect==3.9.1"],
    "websockets": ["uvicorn", "websockets", "wsproto"],
}
# What each answer has of its own; `date` and `server` are of the connection.
IGNORED = {"date", "server", "connection", "keep-alive", "transfer-encoding", "server-timing"}


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def python(name: str) -> Path:
    """The Python of a service's virtual environment, which is made if it is not there."""
    folder = WORK / "venv" / name
    mark = folder / ".complete"
    wanted = "\n".join(VERSIONS[name])
    if not mark.exists() or mark.read_text() != wanted:
        say(f"{name}: installing {', '.join(VERSIONS[name])}")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [folder / "bin/python", "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "--disable-pip-version-check", *VERSIONS[name]], check=True)
        mark.write_text(wanted)
    return folder / "bin/python"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


Answer = tuple[int, dict[str, str], bytes]


def get(port: int, path: str, host: int | None = None) -> Answer:
    """Asks a port by the name of another: some services name themselves as they are called."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path, headers={"host": f"127.0.0.1:{host or port}"})
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, headers, answer.read()
    finally:
        connection.close()


def comparable(answer: Answer) -> Answer:
    status, headers, body = answer
    return status, {k: v for k, v in headers.items() if k not in IGNORED}, body


@contextlib.contextmanager
def running(name: str, command: list, port: int, ready: str, **environment: str):
    """A process that answers at a path, for as long as the block takes."""
    log = (WORK / f"{name}.log").open("ab")
    process = subprocess.Popen(
        command,
        cwd=WORK / "data",
        env={**os.environ, "DO_NOT_TRACK": "1", **environment},
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 300
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if get(port, ready)[0] < 500:
                    break
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{name} does not start: {log.name}")
            time.sleep(0.3)
        yield process
    finally:
        # Its group: some start processes of their own.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.close()


def fresh(name: str) -> Path:
    folder = WORK / "data" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@contextlib.contextmanager
def strangler(legacy: int, ready: str):
    """The strangler before a service, with everything left to that. Gives its port."""
    port, folder = free_port(), fresh(f"strangler-{legacy}")
    environment = {
        "DATABASE_URL": f"sqlite:///{folder}/molt.db",
        "LEGACY_URL": f"http://127.0.0.1:{legacy}",
        "PORT": str(port),
        "MANAGEMENT_PORT": "0",
        "RUST_LOG": "warn",
    }
    with running("strangler", [ROOT / "target/debug/molt"], port, ready, **environment):
        yield port


@contextlib.contextmanager
def titiler_at():
    port = free_port()
    command = [python("titiler"), "-m", "uvicorn", "titiler.application.main:app"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    with running("titiler", command, port, "/api"):
        yield port


@contextlib.contextmanager
def chromadb_at(name: str):
    port, folder = free_port(), fresh(name)
    command = [python("chromadb"), "-m", "uvicorn", "chromadb.app:app"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    environment = {"ANONYMIZED_TELEMETRY": "False", "IS_PERSISTENT": "TRUE"}
    environment["PERSIST_DIRECTORY"] = str(folder)
    with running(name, command, port, "/openapi.json", **environment):
        yield port


@contextlib.contextmanager
def prefect_at(name: str, *options: str):
    port, folder = free_port(), fresh(name)
    command = [python("prefect"), "-m", "prefect", "server", "start", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--no-ui", *options]
    environment = {"PREFECT_HOME": str(folder), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    with running(name, command, port, "/api/health", **environment):
        yield port


def titiler(count: int, seed: int) -> bool:
    """Reads, of an image that the service's own library writes."""
    image = fresh("titiler") / "image.tif"
    subprocess.run([python("titiler"), HERE / "image.py", image, str(seed)], check=True)
    query = f"url={image}"
    paths = ["/api", "/", "/healthz", f"/cog/info?{query}", f"/cog/statistics?{query}"]
    paths += [f"/cog/WebMercatorQuad/tilejson.json?{query}", f"/cog/tiles/none?{query}"]
    paths += [f"/cog/info?url={image}.none", "/cog/info", f"/cog/point/9.5,47.5?{query}"]
    paths += [f"/cog/preview.{form}?{query}" for form in ("png", "jpg", "webp", "tif", "npy")]
    for zoom in range(8, 14):
        # The image is between 9° and 10° E, 47° and 48° N; the last tile is outside of it.
        west, east = (int((degrees + 180) / 360 * 2**zoom) for degrees in (9, 10))
        south, north = (
            int((1 - math.asinh(math.tan(math.radians(degrees))) / math.pi) / 2 * 2**zoom)
            for degrees in (47, 48)
        )
        for step in range(12):
            x = west + (east - west) * step // 10
            y = north + (south - north) * (step * 7 % 11) // 10
            for form in ("png", "jpg", "webp", "tif"):
                tile = f"/cog/tiles/WebMercatorQuad/{zoom}/{x}/{y}.{form}"
                paths += [f"{tile}?{query}", f"{tile}?{query}&rescale=0,200&return_mask=false"]
    paths = (paths * (count // len(paths) + 1))[:count]
    different, statuses = [], {}
    with titiler_at() as direct, strangler(direct, "/api") as through:
        for path in paths:
            one, other = get(direct, path, direct), get(through, path, direct)
            one, other = comparable(one), comparable(other)
            if one != other:
                different.append((path, one[:2], other[:2]))
            statuses[one[0]] = statuses.get(one[0], 0) + 1
    for path, one, other in different[:5]:
        say(f"titiler: {path}\n  {one}\n  {other}")
    say(f"titiler: {len(paths)} reads {statuses}, {len(different)} different")
    return not different


def written(name: str, start, ready: str, document: str, count: int, seed: int) -> bool:
    """What a service's document allows, to two fresh instances."""
    with start(f"{name}-direct") as direct, start(f"{name}-behind") as behind:
        file = WORK / f"{name}.json"
        file.write_bytes(get(direct, document)[2])
        with strangler(behind, ready) as through:
            command = [ROOT / "target/debug/contract", "run", "--generate", file]
            command += ["--reference", f"http://127.0.0.1:{direct}"]
            command += ["--candidate", f"http://127.0.0.1:{through}"]
            command += ["--count", str(count), "--seed", str(seed)]
            command += ["--report", WORK / f"{name}-report/report.json"]
            run = subprocess.run(command, capture_output=True, text=True, cwd=WORK)
    (WORK / f"{name}-contract.log").write_text(run.stdout + run.stderr)
    summary = re.findall(r"\d+ requests, .* different", run.stdout)
    # Where the service differs from itself, of two fresh instances and of one asked twice.
    unsteady = sum(int(count) for count in re.findall(r" (\d+) unsteady$", run.stdout, re.M))
    text = f"{summary[-1]}, {unsteady} unsteady" if summary else run.stderr[-400:]
    say(f"{name}: {text}")
    return run.returncode == 0 and bool(summary)


def post(port: int, path: str, body: dict) -> object:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
    answer = connection.getresponse().read()
    connection.close()
    return json.loads(answer)


def flow() -> bool:
    """Prefect's client, through the strangler. The server is asked directly."""
    with prefect_at("prefect-flow") as server, strangler(server, "/api/health") as through:
        client = {
            **os.environ,
            "PREFECT_API_URL": f"http://127.0.0.1:{through}/api",
            "PREFECT_HOME": str(fresh("prefect-client")),
            "DO_NOT_TRACK": "1",
        }
        command = [python("prefect"), HERE / "flow.py"]
        run = subprocess.run(command, env=client, capture_output=True, text=True, timeout=300)
        completed = {"task_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}
        deadline = time.monotonic() + 60
        while (tasks := post(server, "/api/task_runs/count", completed)) != 20:
            if time.monotonic() > deadline:
                break
            time.sleep(0.5)
        events = post(server, "/api/events/filter", {"limit": 50}).get("total")
    say(
        f"prefect: the flow of its client ended with {run.returncode}, {tasks} of 20 task runs "
        f"and {events} events arrived"
    )
    if run.returncode:
        say(run.stderr[-1000:])
    return run.returncode == 0 and tasks == 20


def prefect(count: int, seed: int) -> bool:
    def start(name: str):
        # Without the services that change things by themselves.
        return prefect_at(name, "--no-services")

    same = written("prefect", start, "/api/health", "/api/openapi.json", count, seed)
    return flow() and same


def chromadb(count: int, seed: int) -> bool:
    return written("chromadb", chromadb_at, "/openapi.json", "/openapi.json", count, seed)


def websockets(_count: int, _seed: int) -> bool:
    good = True
    for implementation in ("websockets", "wsproto"):
        port = free_port()
        command = [python("websockets"), "-m", "uvicorn", "echo:app", "--app-dir", HERE]
        command += ["--ws", implementation, "--host", "127.0.0.1", "--port", str(port)]
        with running("echo", command, port, "/"), strangler(port, "/") as through:
            command = [python("websockets"), HERE / "messages.py", str(through)]
            run = subprocess.run(command, capture_output=True, text=True, timeout=120)
        say(f"websockets, {implementation}: {run.stdout.strip() or run.stderr[-800:]}")
        good &= run.returncode == 0
    return good


def main() -> None:
    services = {f.__name__: f for f in (titiler, chromadb, prefect, websockets)}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("services", nargs="*", metavar="SERVICE", help=", ".join(services))
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    names = arguments.services or list(services)
    if unknown := set(names) - set(services):
        parser.error(f"no such service: {', '.join(unknown)}")
    (WORK / "data").mkdir(parents=True, exist_ok=True)
    failed = [name for name in names if not services[name](arguments.count, arguments.seed)]
    say(f"different: {', '.join(failed)}" if failed else "everything is the same")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
