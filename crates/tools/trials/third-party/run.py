"""Puts the strangler before public services and compares what clients get directly and through it.

    python3 run.py [--count 1000] [--seed 7] [titiler] [chromadb] [prefect] [phoenix] [websockets]

The services are installed from the package index that pip is configured with, each into a virtual
environment under target/third-party, and started on loopback:

- titiler: 1,000 reads of one instance, tiles and images among them, are equal to the byte;
- chromadb, prefect, phoenix: what `contract` generates from their documents, 1,000 requests, is
  answered alike by two fresh instances, one directly and one through the strangler;
- prefect: its own client runs a flow of 20 tasks through the strangler. What it has done is known
  to the server by events alone, which come over a WebSocket;
- websockets: 1,000 messages and close codes, over uvicorn's two implementations.

Exit code 1 if anything differs, fails or cannot be started. target/third-party/report.json has for
each service how many requests were sent, differed and failed, and the versions. It needs
target/debug/molt and target/debug/contract.
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
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
HERE = Path(__file__).resolve().parent
WORK = ROOT / "target/third-party"
VERSIONS = {
    "titiler": ["titiler.application==2.4.0", "uvicorn"],
    "chromadb": ["chromadb==1.0.0"],
    "prefect": ["prefect==3.9.1"],
    "phoenix": ["arize-phoenix==20.26.1"],
    "freqtrade": ["freqtrade==2026.9"],
    "websockets": ["uvicorn", "websockets", "wsproto"],
}
# What each answer has of its own; `date` and `server` are of the connection.
IGNORED = {"date", "server", "connection", "keep-alive", "transfer-encoding", "server-timing"}


# Of which the report has the versions, beside the service's own.
SHARED = ["fastapi", "starlette", "pydantic", "uvicorn"]


@dataclass
class Result:
    """What became of a service's requests."""

    requests: int = 0
    # Those that were answered otherwise through the strangler, of which the first are shown.
    different: int = 0
    # What went wrong besides.
    failures: list[str] = field(default_factory=list)
    # Answers of the service itself, by status.
    statuses: dict[int, int] = field(default_factory=dict)
    # Answers in which two instances of the service differ by themselves, in listed places and in
    # those that were seen to change when one was asked twice; what else they hold is compared.
    own: int = 0
    unsteady: int = 0
    versions: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    def is_same(self) -> bool:
        return self.requests > 0 and not self.different and not self.failures

    def answered(self, status: int) -> None:
        self.statuses[status] = self.statuses.get(status, 0) + 1


class Broken(Exception):
    """A service that cannot be installed or started."""


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
        # What an earlier run has not completed is of no use.
        shutil.rmtree(folder, ignore_errors=True)
        pip = [folder / "bin/python", "-m", "pip", "install", "--quiet"]
        pip += ["--disable-pip-version-check", "--retries", "5", *VERSIONS[name]]
        for command in ([sys.executable, "-m", "venv", folder], pip):
            run = subprocess.run(command, check=False, capture_output=True, text=True)
            if run.returncode:
                raise Broken(f"it cannot be installed: {(run.stdout + run.stderr)[-400:].strip()}")
        mark.write_text(wanted)
    return folder / "bin/python"


def versions(name: str) -> dict[str, str]:
    """The versions of a service and of what it is made with."""
    packages = [re.split("[=<>]", package)[0] for package in VERSIONS[name]] + SHARED
    script = """import importlib.metadata as m, json, sys
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = m.version(name)
    except m.PackageNotFoundError:
        pass
print(json.dumps(found))"""
    run = subprocess.run([python(name), "-c", script, *packages], capture_output=True, check=True)
    return json.loads(run.stdout)


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
        # Sets are in the same order everywhere.
        env={**os.environ, "DO_NOT_TRACK": "1", "PYTHONHASHSEED": "0", **environment},
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
                raise Broken(f"{name} does not start: {log.name}")
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
def chromadb_at(name: str, **settings: str):
    port, folder = free_port(), fresh(name)
    command = [python("chromadb"), "-m", "uvicorn", "chromadb.app:app"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    environment = {"ANONYMIZED_TELEMETRY": "False", "IS_PERSISTENT": "TRUE", **settings}
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


@contextlib.contextmanager
def phoenix_at(name: str):
    port, folder = free_port(), fresh(name)
    environment = {"PHOENIX_WORKING_DIR": str(folder), "PHOENIX_HOST": "127.0.0.1"}
    environment |= {"PHOENIX_PORT": str(port), "PHOENIX_GRPC_PORT": str(free_port())}
    environment |= {"PHOENIX_TELEMETRY_ENABLED": "false"}
    command = [python("phoenix"), "-m", "phoenix.server.main", "serve"]
    with running(name, command, port, "/healthz", **environment):
        yield port


def titiler(count: int, seed: int) -> Result:
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
    result = Result()
    with titiler_at() as direct, strangler(direct, "/api") as through:
        for path in paths:
            one, other = get(direct, path, direct), get(through, path, direct)
            one, other = comparable(one), comparable(other)
            result.requests += 1
            result.answered(one[0])
            if one != other:
                result.different += 1
                result.notes.append(f"{path}: {one[:2]}, not {other[:2]}")
    return result


def written(
    name: str, start, ready: str, document: str, count: int, seed: int, mounted: str = ""
) -> Result:
    """What a service's document allows, to two fresh instances. The document's paths are those of
    an application that is `mounted` there; a file named as the service lists where two of its
    instances differ by themselves."""
    reports = WORK / f"{name}-report"
    shutil.rmtree(reports, ignore_errors=True)
    with start(f"{name}-direct") as direct, start(f"{name}-behind") as behind:
        file = WORK / f"{name}.json"
        described = json.loads(get(direct, document)[2])
        described["paths"] = {mounted + path: it for path, it in described["paths"].items()}
        file.write_text(json.dumps(described))
        with strangler(behind, ready) as through:
            command = [ROOT / "target/debug/contract", "run", "--generate", file]
            command += ["--reference", f"http://127.0.0.1:{direct}"]
            command += ["--candidate", f"http://127.0.0.1:{through}"]
            command += ["--count", str(count), "--seed", str(seed)]
            command += ["--report", reports / "report.json"]
            if (ledger := HERE / f"{name}.yaml").exists():
                command += ["--ledger", ledger]
            run = subprocess.run(command, check=False, capture_output=True, text=True, cwd=WORK)
    (WORK / f"{name}-contract.log").write_text(run.stdout + run.stderr)
    result = Result()
    try:
        report = json.loads((reports / "report.json").read_text())
    except (OSError, ValueError):
        result.failures.append(f"contract: {run.stderr[-400:].strip()}")
        return result
    for case in (case for run in report["runs"].values() for case in run["cases"]):
        # What is no request has no status.
        if case["status"]:
            result.requests += 1
            result.answered(case["status"])
        result.own += bool(case.get("better"))
        if case["differences"] and not case.get("unsteady") and not case.get("better"):
            result.different += 1
            first = case["differences"][0]
            where = f"{first['path']}: {first['reference']}, not {first['candidate']}"
            result.notes.append(f"{case['request']}: {where[:300]}")
        result.unsteady += bool(case.get("unsteady"))
    if run.returncode and not result.different:
        result.failures.append(f"contract ended with {run.returncode}: {run.stderr[-400:].strip()}")
    # Where everything is refused, nothing is compared.
    if sum(n for status, n in result.statuses.items() if status < 300) < result.requests / 10:
        result.failures.append(f"few succeeded: {result.statuses}")
    if result.requests < count:
        result.failures.append(f"{result.requests} of {count} requests were sent")
    return result


def post(port: int, path: str, body: dict) -> object:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
    answer = connection.getresponse().read()
    connection.close()
    return json.loads(answer)


def flow(result: Result) -> None:
    """Prefect's client, through the strangler. The server is asked directly."""
    with prefect_at("prefect-flow") as server, strangler(server, "/api/health") as through:
        client = {
            **os.environ,
            "PREFECT_API_URL": f"http://127.0.0.1:{through}/api",
            "PREFECT_HOME": str(fresh("prefect-client")),
            "DO_NOT_TRACK": "1",
        }
        command = [python("prefect"), HERE / "flow.py"]
        run = subprocess.run(
            command, check=False, env=client, capture_output=True, text=True, timeout=300
        )
        completed = {"task_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}
        deadline = time.monotonic() + 60
        while (tasks := post(server, "/api/task_runs/count", completed)) != 20:
            if time.monotonic() > deadline:
                break
            time.sleep(0.5)
        events = post(server, "/api/events/filter", {"limit": 50}).get("total")
    result.notes.append(f"its client's flow: {tasks} of 20 task runs and {events} events arrived")
    if run.returncode:
        result.failures.append(f"the flow ended with {run.returncode}: {run.stderr[-400:]}")
    if tasks != 20:
        result.failures.append(f"{tasks} of 20 task runs arrived")


def prefect(count: int, seed: int) -> Result:
    def start(name: str):
        # Without the services that change things by themselves.
        return prefect_at(name, "--no-services")

    document = "/api/openapi.json"
    result = written("prefect", start, "/api/health", document, count, seed, mounted="/api")
    flow(result)
    return result


def chromadb(count: int, seed: int) -> Result:
    return written("chromadb", chromadb_at, "/openapi.json", "/openapi.json", count, seed)


def phoenix(count: int, seed: int) -> Result:
    return written("phoenix", phoenix_at, "/healthz", "/openapi.json", count, seed)


def websockets(_count: int, _seed: int) -> Result:
    result = Result()
    for implementation in ("websockets", "wsproto"):
        port = free_port()
        command = [python("websockets"), "-m", "uvicorn", "echo:app", "--app-dir", HERE]
        command += ["--ws", implementation, "--host", "127.0.0.1", "--port", str(port)]
        with running("echo", command, port, "/"), strangler(port, "/") as through:
            command = [python("websockets"), HERE / "messages.py", str(through)]
            run = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
        # Three connections: messages, a close and a refusal.
        result.requests += 3
        if run.returncode:
            result.failures.append(f"{implementation}: {run.stderr[-400:].strip()}")
        else:
            result.notes.append(f"{implementation}: {run.stdout.strip()}")
    return result


def tried(name: str, service, count: int, seed: int) -> Result:
    start = time.monotonic()
    try:
        result = service(count, seed)
        result.versions = versions(name)
    except (Broken, subprocess.SubprocessError, OSError, http.client.HTTPException) as error:
        result = Result(failures=[str(error)])
    result.seconds = round(time.monotonic() - start, 1)
    for line in result.failures + result.notes[:5]:
        say(f"{name}: {line}")
    return result


def table(results: dict[str, Result]) -> None:
    columns = f"{'different':>9} {'failures':>8} {'own':>5} {'unsteady':>8}"
    say(f"\n{'service':22} {'requests':>8} {'2xx':>6} {columns}")
    for name, result in results.items():
        own = next(iter(result.versions.items()), (name, "?"))
        succeeded = sum(n for status, n in result.statuses.items() if 200 <= int(status) < 300)
        label = f"{name} {own[1]}"
        say(
            f"{label:22} {result.requests:>8} {succeeded if result.statuses else '-':>6} "
            f"{result.different:>9} {len(result.failures):>8} {result.own:>5} {result.unsteady:>8}"
            f"  {result.seconds:.0f} s"
        )


def asked(description: str, services: Iterable[str]) -> tuple[list[str], int, int]:
    """The command line: which services, how many requests, and the seed."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("services", nargs="*", metavar="SERVICE", help=", ".join(services))
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    if unknown := set(arguments.services) - set(services):
        parser.error(f"no such service: {', '.join(unknown)}")
    (WORK / "data").mkdir(parents=True, exist_ok=True)
    return arguments.services or list(services), arguments.count, arguments.seed


def main() -> None:
    services = {f.__name__: f for f in (titiler, chromadb, prefect, phoenix, websockets)}
    names, count, seed = asked(__doc__.splitlines()[0], services)
    results = {name: tried(name, services[name], count, seed) for name in names}
    table(results)
    failed = [name for name, result in results.items() if not result.is_same()]
    report = {"same": not failed, "count": count, "seed": seed}
    report["services"] = {name: asdict(result) for name, result in results.items()}
    (WORK / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    say(f"different: {', '.join(failed)}" if failed else "everything is the same")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
