"""Drafts public services from their own code and puts each draft before its service, shadowed.

    python3 drafts.py [--count 1000] [--seed 7] [titiler] [chromadb] [phoenix] [prefect] [freqtrade]

Each service is installed as run.py installs it and inspected with its own Python, and the draft is
compiled and tested by `scaffold drafts`. Then the drafted crate stands before the running service,
with every operation of the draft on `shadow` and no handler written: the old service answers, and
whether and how each of the two refuses a request is compared. The requests are what `contract`
generates from the service's document, valid ones and their variations, seed after seed, until
COUNT that both refuse alike and COUNT others were sent. Of a service whose handlers look at what
they get themselves there may be fewer, after eight rounds; the report says so.

Exit code 1 if a draft's validation differs, or if its crate does not compile or is not equal to the
document. target/third-party-drafts/SERVICE/report.json has the counts,
the first differences of each operation, and the operations of which nothing was compared. It needs
target/debug/scaffold and target/debug/contract.
"""

import base64
import contextlib
import http.client
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import run
from run import HERE, ROOT, Broken, free_port, fresh, python, running, say

WORK = ROOT / "target/third-party-drafts"
SCAFFOLD = ROOT / "target/debug/scaffold"
PASSWORD = "a password of this run"
# As many rounds as that are sent at most; each has another seed.
ROUNDS = 8
# How the strangler counts a request that it has shadowed.
VERDICTS = {
    "matches": "matches",
    "accepted": "accepted",
    "executed": "uncompared",
    "mismatches": "mismatches",
    "noise": "noise",
    "dropped": "dropped",
}


@dataclass(frozen=True)
class Service:
    """What is drafted, and how it is started."""

    # The application, as `scaffold inspect --app` takes it.
    app: str
    # Gives the port of the running service.
    start: Callable[[], contextlib.AbstractContextManager[int]]
    # The environment in which it is imported.
    environment: dict[str, str] = field(default_factory=dict)
    # Values for parameters that cannot be guessed.
    examples: dict[str, str] = field(default_factory=dict)
    # How requests sign in, as `contract --sign-in` takes it.
    sign_in: tuple[str, ...] = ()
    # Where answers differ by middlewares of the application's own, which no draft has.
    may_differ: tuple[str, ...] = ()


@dataclass
class Operation:
    """An operation of the draft, and what became of the requests to it."""

    id: str
    operation: str
    # `native` or `loose`, and why.
    drafted: str
    reasons: list[str]
    # Functions that run before it, of which the draft has the parameters: they may refuse as well.
    dependencies: list[str]
    requests: int = 0
    # Both refused alike, both accepted.
    matches: int = 0
    accepted: int = 0
    # Only one refused, or they did in other words; the last ones are shown.
    mismatches: int = 0
    # Neither refused, and the old service answered what only executing finds (400, 404, 500).
    executed: int = 0
    noise: int = 0
    dropped: int = 0
    shown: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        is_behind = self.drafted == "native" and self.dependencies
        return "native, behind dependencies" if is_behind else self.drafted

    @property
    def compared(self) -> int:
        return self.matches + self.accepted + self.executed + self.mismatches


@dataclass
class Report:
    """What became of a service."""

    versions: dict[str, str] = field(default_factory=dict)
    # How many operations are native, loose and passed on.
    operations: dict[str, int] = field(default_factory=dict)
    compiles: bool = False
    document_equal: bool = False
    # The requests by what the old service answered: 422 is invalid. Not shadowed are those of them
    # to methods and paths that are no operation of the draft.
    requests: dict[str, int] = field(default_factory=dict)
    statuses: dict[int, int] = field(default_factory=dict)
    # What the strangler has found of them, over all operations: see Operation.
    verdicts: dict[str, int] = field(default_factory=dict)
    # What there was less of than COUNT.
    short: list[str] = field(default_factory=list)
    # Mismatches by how the operation was drafted; of native ones, those behind dependencies apart.
    mismatches: dict[str, int] = field(default_factory=dict)
    may_differ: list[str] = field(default_factory=list)
    # Operations of the draft of which no request was compared.
    never_compared: list[str] = field(default_factory=list)
    # What only the old service answers, with the reason.
    passed_on: list[str] = field(default_factory=list)
    # The operations with mismatches.
    different: list[Operation] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def is_same(self) -> bool:
        return bool(self.verdicts) and not self.verdicts["mismatches"] and not self.failures


@contextlib.contextmanager
def prefect_api():
    """Prefect's API as an application of its own: its server mounts it."""
    port, folder = free_port(), fresh("prefect-draft")
    environment = {"PREFECT_HOME": str(folder), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    upgrade = [python("prefect"), "-m", "prefect", "server", "database", "upgrade", "--yes"]
    subprocess.run(upgrade, check=True, capture_output=True, env={**run.os.environ, **environment})
    command = [python("prefect"), "-m", "uvicorn", "--factory"]
    command += ["prefect.server.api.server:create_api_app", "--host", "127.0.0.1"]
    command += ["--port", str(port)]
    with running("prefect", command, port, "/health", **environment):
        yield port


@contextlib.contextmanager
def freqtrade_at():
    """Its web server, without an exchange: it trades nothing."""
    port, folder = free_port(), fresh("freqtrade-draft")
    users = [python("freqtrade"), "-m", "freqtrade", "create-userdir", "--userdir", folder]
    subprocess.run(users, check=True, capture_output=True)
    api = {"enabled": True, "listen_ip_address": "127.0.0.1", "listen_port": port}
    api |= {"username": "molt", "password": PASSWORD, "jwt_secret_key": PASSWORD * 2}
    exchange = {"name": "binance", "pair_whitelist": ["BTC/USDT"]}
    config = {"api_server": api, "exchange": exchange, "stake_currency": "USDT"}
    (folder / "config.json").write_text(json.dumps(config))
    command = [python("freqtrade"), "-m", "freqtrade", "webserver", "--userdir", folder]
    command += ["--config", folder / "config.json"]
    with running("freqtrade", command, port, "/api/v1/ping"):
        yield port


SERVICES = {
    "titiler": Service(
        "titiler.application.main:app",
        run.titiler_at,
        examples={"url": str(run.WORK / "data/image.tif")},
        may_differ=("header cache-control",),
    ),
    "chromadb": Service(
        "chromadb.app:app",
        # Its handler refuses to reset with 401 otherwise.
        lambda: run.chromadb_at("chromadb-draft", ALLOW_RESET="TRUE"),
        {"ANONYMIZED_TELEMETRY": "False", "IS_PERSISTENT": "TRUE"},
        may_differ=("header chroma-trace-id",),
    ),
    "phoenix": Service(
        "phoenix_app:app()",
        lambda: run.phoenix_at("phoenix-draft"),
        {"PYTHONPATH": str(HERE), "PHOENIX_TELEMETRY_ENABLED": "false"},
        may_differ=("header x-colab-notebook-cache-control", "header x-phoenix-server-version"),
    ),
    "prefect": Service(
        "prefect.server.api.server:create_api_app()",
        prefect_api,
        {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"},
    ),
    "freqtrade": Service(
        "freqtrade_app:app",
        freqtrade_at,
        {"PYTHONPATH": str(HERE)},
        sign_in=(f"basic:molt:{PASSWORD}",),
    ),
}


def inspected(name: str, service: Service) -> None:
    """Writes what the inspector reads from a service's code."""
    folder = fresh(f"{name}-inspected")
    environment = {"PREFECT_HOME": str(folder), "PERSIST_DIRECTORY": str(folder)}
    environment |= {"PHOENIX_WORKING_DIR": str(folder), **service.environment}
    command = [SCAFFOLD, "inspect", "--app", service.app, "--python", python(name)]
    command += ["--directory", folder, "--timeout", "600"]
    command += ["--output", WORK / "inspections" / f"{name}.json"]
    for variable in environment.items():
        command += ["--env", "=".join(variable)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise Broken(f"it cannot be inspected: {done.stderr[-600:].strip()}")


def drafted(names: list[str]) -> dict[str, dict]:
    """Drafts, compiles and tests the crates; gives what became of each."""
    say(f"drafting and compiling {', '.join(names)}")
    command = [SCAFFOLD, "--root", ROOT, "drafts", WORK / "inspections", "--only", ",".join(names)]
    log = WORK / "drafts.log"
    with log.open("wb") as output:
        # Its exit code says what the report says of each.
        subprocess.run(command, check=False, stdout=output, stderr=output, cwd=ROOT)
    try:
        found = json.loads((ROOT / "target/drafts/report.json").read_text())
    except (OSError, ValueError) as error:
        raise Broken(f"nothing was drafted: {error}; see {log}") from error
    return {one["document"]: one for one in found}


def document(crate: Path, service: Service, into: Path) -> Path:
    """The document from which requests are made, with examples of what cannot be guessed."""
    described = json.loads((crate / "openapi.json").read_text())
    for path in described["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", []):
                if example := service.examples.get(parameter.get("name")):
                    parameter["example"] = example
    file = into / "openapi.json"
    file.write_text(json.dumps(described))
    return file


def plan(crate: Path, service: Service, into: Path) -> Path:
    """The draft's plan with all its operations shadowed."""
    text = (crate / "plan.yaml").read_text()
    text = re.sub(r"(?m)^(  .*): legacy$", r"\1: shadow", text)
    if service.may_differ:
        text += f"may_differ: {json.dumps(service.may_differ)}\n"
    file = into / "plan.yaml"
    file.write_text(text)
    return file


@contextlib.contextmanager
def shadowing(name: str, legacy: int, plan_file: Path, ready: str):
    """The drafted service before the old one; gives its port and that of its page."""
    port, page = free_port(), free_port()
    environment = {
        "LEGACY_URL": f"http://127.0.0.1:{legacy}",
        "PORT": str(port),
        "MANAGEMENT_PORT": str(page),
        "STRANGLER_PASSWORD": PASSWORD,
        "STRANGLER_PLAN": str(plan_file),
    }
    program = ROOT / f"target/drafts/target/debug/draft-{name}"
    with running(f"draft-{name}", [program], port, ready, **environment):
        yield port, page


def state(page: int) -> dict[str, dict]:
    """What the strangler knows of each operation, by method and path."""
    connection = http.client.HTTPConnection("127.0.0.1", page, timeout=60)
    key = base64.b64encode(f"molt:{PASSWORD}".encode()).decode()
    connection.request("GET", "/_molt/state", headers={"authorization": f"Basic {key}"})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status != 200:
        raise Broken(f"the page of the draft answers {answer.status}")
    operations = json.loads(text)["operations"]
    return {one["id"]: one for one in operations if one["mode"] == "shadow"}


def settled(page: int) -> dict[str, dict]:
    """The state when every request that the old service has answered is compared."""
    deadline, last = time.monotonic() + 120, None
    while True:
        now = state(page)
        counted = sum(one[key] for one in now.values() for key in VERDICTS.values())
        answered = sum(one["legacy"]["requests"] for one in now.values())
        # What got no answer is not compared: nothing more comes then.
        if counted >= answered or counted == last or time.monotonic() > deadline:
            return now
        last = counted
        time.sleep(3)


def sent(service: Service, port: int, file: Path, count: int, seed: int, into: Path) -> list[dict]:
    """Generated requests to the draft, as the report of `contract` has them."""
    report = into / f"contract-{seed}" / "report.json"
    report.unlink(missing_ok=True)
    command = [ROOT / "target/debug/contract", "run", "--generate", file]
    command += ["--candidate", f"http://127.0.0.1:{port}", "--report", report]
    command += ["--count", str(count), "--seed", str(seed)]
    for option in service.sign_in:
        command += ["--sign-in", option]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=into)
    (into / f"contract-{seed}.log").write_text(done.stdout + done.stderr)
    # 1: what the document does not say; that is not the question here.
    if done.returncode not in (0, 1):
        raise Broken(f"contract ended with {done.returncode}: {done.stderr[-400:].strip()}")
    cases = [
        case for one in json.loads(report.read_text())["runs"].values() for case in one["cases"]
    ]
    # What is no request has no status.
    return [case for case in cases if case["status"]]


def dependencies(name: str) -> dict[str, list[str]]:
    """The functions of the application that run before each operation's own, by method and path."""

    def within(dependant: dict) -> list[str]:
        found = []
        for one in dependant.get("dependencies", []):
            is_function = one.get("call") and not one.get("scheme")
            found += [one["call"]] * bool(is_function) + within(one)
        return found

    text = (WORK / "inspections" / f"{name}.json").read_text()
    routes = [route for route in json.loads(text)["routes"] if route.get("dependant")]
    return {
        f"{method} {route['path_format']}": sorted(set(within(route["dependant"])))
        for route in routes
        for method in route.get("methods") or []
    }


def shadowed(name: str, service: Service, count: int, seed: int, report: Report) -> None:
    """Sends requests to the draft before the service; reports what the strangler has compared."""
    crate, into = ROOT / f"target/drafts/crates/draft-{name}", WORK / name
    rows = json.loads((crate / "draft.json").read_text())["operations"]
    known = {row["id"]: row for row in rows if row["status"] != "passed on"}
    file = document(crate, service, into)
    for value in service.examples.values():
        subprocess.run([python(name), HERE / "image.py", value, str(seed)], check=True)
    requests: list[dict] = []
    with (
        service.start() as legacy,
        shadowing(name, legacy, plan(crate, service, into), "/") as (port, page),
    ):
        ready = settled(page)
        for number in range(ROUNDS):
            requests += sent(service, port, file, 2 * count, seed + number, into)
            now = settled(page)
            refused = sum(one["matches"] for one in now.values())
            say(f"{name}: {len(requests)} requests, {refused} of them refused alike")
            if min(refused, len(requests) - refused) >= count:
                break
    for case in requests:
        report.statuses[case["status"]] = report.statuses.get(case["status"], 0) + 1
    invalid = report.statuses.get(422, 0)
    report.requests = {"valid": len(requests) - invalid, "invalid": invalid}
    operations, behind = [], dependencies(name)
    for id, one in now.items():
        row = known[id]
        called = f"{row['method']} {row['path']}"
        functions = behind.get(called, [])
        operation = Operation(id, called, row["status"], row["reasons"], functions)
        operation.requests = one["legacy"]["requests"]
        for verdict, key in VERDICTS.items():
            setattr(operation, verdict, one[key] - ready[id][key])
        for seen in one["last_differences"]:
            # Headers come first, and say least.
            found = seen["differences"]
            first = next((it for it in found if not it["path"].startswith("header")), found[0])
            where = f"{first['path']}: {first['reference']}, not {first['candidate']}"
            operation.shown.append(f"{seen['request']}: {where}"[:600])
        operations.append(operation)
    report.verdicts = {it: sum(getattr(one, it) for one in operations) for it in VERDICTS}
    report.requests["not_shadowed"] = len(requests) - sum(report.verdicts.values())
    for one in operations:
        report.mismatches[one.kind] = report.mismatches.get(one.kind, 0) + one.mismatches
    report.different = [one for one in operations if one.mismatches]
    never = (one for one in operations if not one.compared)
    report.never_compared = [f"{one.operation}: {one.requests} requests" for one in never]
    if report.verdicts["dropped"]:
        report.failures.append(f"{report.verdicts['dropped']} requests were not compared in time")
    compared = {
        "refused with 422 by both": report.verdicts["matches"],
        "refused by neither": report.verdicts["accepted"] + report.verdicts["executed"],
    }
    report.short = [f"{it}: {n}, not {count}" for it, n in compared.items() if n < count]


def passed_on(name: str) -> list[str]:
    rows = json.loads((ROOT / f"target/drafts/crates/draft-{name}/draft.json").read_text())
    rows = [row for row in rows["operations"] if row["status"] == "passed on"]
    return [f"{row['method']} {row['path']}: {'; '.join(row['reasons'])}" for row in rows]


def tried(name: str, draft: dict | None, count: int, seed: int) -> Report:
    start, report = time.monotonic(), Report()
    service = SERVICES[name]
    try:
        if draft is None or draft.get("error"):
            raise Broken(f"it is not drafted: {(draft or {}).get('error', 'see above')}")
        report.versions = run.versions(name)
        report.operations = {it: draft[it] for it in ("native", "loose", "passed_on")}
        report.compiles = bool(draft.get("compiles"))
        report.document_equal = bool(draft.get("document_equal"))
        report.passed_on = passed_on(name)
        report.may_differ = list(service.may_differ)
        if not report.compiles:
            report.failures.append("the crate does not compile without warnings")
        if not report.document_equal:
            report.failures.append("the document of the crate is not that of the service")
        shadowed(name, service, count, seed, report)
    except (Broken, subprocess.SubprocessError, OSError, http.client.HTTPException) as error:
        report.failures.append(str(error))
    report.seconds = round(time.monotonic() - start, 1)
    for line in report.failures + report.short:
        say(f"{name}: {line}")
    for operation in report.different:
        say(f"{name}: {operation.operation} ({operation.kind}): {operation.mismatches} differ")
        for line in operation.shown[:2]:
            say(f"    {line[:240]}")
    file = WORK / name / "report.json"
    file.write_text(json.dumps({"same": report.is_same(), **asdict(report)}, indent=2) + "\n")
    return report


def table(reports: dict[str, Report]) -> None:
    say(
        f"\n{'service':20} {'native':>6} {'loose':>6} {'passed':>6} {'valid':>6} {'invalid':>7} "
        f"{'refused':>7} {'accepted':>8} {'executed':>8} {'differ':>6} {'other':>5} {'never':>5}"
    )
    for name, report in reports.items():
        own = next(iter(report.versions.items()), (name, "?"))
        of = [report.operations.get(it, 0) for it in ("native", "loose", "passed_on")]
        requests = [report.requests.get(it, 0) for it in ("valid", "invalid")]
        verdicts = [report.verdicts.get(it, 0) for it in VERDICTS]
        refused, accepted, executed, different, *other = verdicts
        say(
            f"{f'{name} {own[1]}':20} {of[0]:>6} {of[1]:>6} {of[2]:>6} {requests[0]:>6} "
            f"{requests[1]:>7} {refused:>7} {accepted:>8} {executed:>8} {different:>6} "
            f"{sum(other):>5} {len(report.never_compared):>5}  {report.seconds:.0f} s"
        )


def main() -> None:
    names, count, seed = run.asked(__doc__.splitlines()[0], SERVICES)
    for name in ("inspections", *names):
        (WORK / name).mkdir(parents=True, exist_ok=True)
    drafts: dict[str, dict] = {}
    readable = []
    for name in names:
        try:
            inspected(name, SERVICES[name])
            readable.append(name)
        except (Broken, OSError) as error:
            drafts[name] = {"error": str(error)}
    if readable:
        drafts |= drafted(readable)
    reports = {name: tried(name, drafts.get(name), count, seed) for name in names}
    table(reports)
    failed = [name for name, report in reports.items() if not report.is_same()]
    say(f"different: {', '.join(failed)}" if failed else "no validation differs")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
