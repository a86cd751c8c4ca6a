"""The wheel as it is installed: errors at once, functions that equal their Python, shadows."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import molt_bridge
import pytest
from app.imports import read_items_in_python
from molt_bridge.functions import read_items

TESTS = Path(__file__).parent


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder without `.env`, and a database of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ("operations: {items-red_items: native}", "'items-red_items' is not an operation"),
        ("default: rust", "'rust' is not a mode"),
        ("", "it is empty"),
        (None, "No such file"),
    ],
)
def test_a_wrong_plan_is_refused_at_once(folder: Path, plan: str | None, message: str) -> None:
    path = folder / "plan.yaml"
    if plan is not None:
        path.write_text(plan)
    with pytest.raises(ValueError, match=re.escape(str(path))) as error:
        molt_bridge.Strangler(lambda *_: None, plan=path)
    assert message in str(error.value)


def test_wrong_settings_are_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://nowhere")
    monkeypatch.setenv("SMTP_TLS", "maybe")
    with pytest.raises(ValueError, match="DATABASE_URL") as error:
        molt_bridge.Strangler(lambda *_: None)
    assert "SMTP_TLS" in str(error.value)


def test_settings_of_a_dotenv_count_after_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".env").write_text("DATABASE_URL=mysql://nowhere\n")
    with pytest.raises(ValueError, match="DATABASE_URL"):
        molt_bridge.Strangler(lambda *_: None)
    monkeypatch.setenv("DATABASE_URL", "sqlite:///./other.db")
    molt_bridge.Strangler(lambda *_: None)


def read(function: Any, text: str) -> Any:
    try:
        return function(text)
    except ValueError as error:
        return str(error)


def test_rows_are_read_as_python_reads_them() -> None:
    header = "title,description\n"
    texts = [
        "",
        "\n\n",
        "title",
        "Title\n",
        "title\na\na\n\nb",
        header + 'a,"b"c"d""\n',
        header + '"a""b",\r\n"c\r\nd",e\r\r\n',
        header + '"open',
        header + "a\n,b\na,b,c\n" + "x" * 256 + ",y\n\0,\0\nz," + "é" * 255,
        header + "x" * 131_072 + ",",
        header + "x" * 131_073 + ",",
        "\ufefftitle\na",
    ]
    for text in texts:
        assert read(read_items, text) == read(read_items_in_python, text), text[:80]


def test_generated_files_are_read_as_python_reads_them() -> None:
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)
    parts = ['"', ",", "\r", "\n", "\r\n", "a", "b", " ", "\0", "é", "𝄞", '""']
    parts += ["x" * 255, "y" * 256]
    refused = with_errors = 0
    for number in range(20_000):
        header = chance.choice(["title\n", "title,description\n", "title,description\r\n", ""])
        text = header + "".join(chance.choices(parts, k=chance.randrange(24)))
        rust, python = read(read_items, text), read(read_items_in_python, text)
        assert rust == python, f"seed {seed}, file {number}: {text!r}"
        refused += isinstance(python, str)
        with_errors += not isinstance(python, str) and bool(python[1])
    assert refused > 1000 and with_errors > 1000, "the generator finds both"


def test_threads_read_while_others_do() -> None:
    text = "title\n" + "".join(f"title {number}\n" for number in range(100_000))
    steps = 0

    def count() -> None:
        nonlocal steps
        while thread.is_alive():
            steps += 1
            time.sleep(0)

    thread = threading.Thread(target=read_items, args=(text,))
    thread.start()
    count()
    assert steps > 10, "the interpreter was not free"
    assert len(read_items(text)[0]) == 100_000


def test_stubs_are_those_of_the_module() -> None:
    for command in (
        ["mypy.stubtest", "molt_bridge"],
        ["mypy", "--strict", "--package", "molt_bridge"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_shadows_of_python_legacy_are_compared_in_the_process(folder: Path) -> None:
    plan = folder / "plan.yaml"
    plan.write_text("default: shadow\n")
    log = folder / "log"
    settings = {
        "STRANGLER_PLAN": str(plan),
        "DATABASE_URL": f"sqlite:///{folder / 'molt.db'}",
        "PORT": "0",
        "MANAGEMENT_PORT": "0",
        "PYTHONPATH": f"{TESTS.parents[2] / 'python-legacy'}:{TESTS}",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "served"],
            env=settings,
            cwd=folder,
            stdout=output,
            stderr=output,
        )

    def printed(pattern: str) -> str:
        deadline = time.monotonic() + 60
        while not (found := re.search(pattern, log.read_text())):
            assert time.monotonic() < deadline and process.poll() is None, log.read_text()
            time.sleep(0.05)
        return found[1]

    try:
        url = printed(r"Uvicorn running on (\S+)")
        metrics = printed(r"Management: (\S+/metrics)")
        sign_in = {"username": "admin@example.com", "password": "changethis"}
        token = httpx.post(f"{url}/api/v1/login/access-token", data=sign_in, timeout=60).json()
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        items = f"{url}/api/v1/items/"
        for number in range(5):
            created = httpx.post(items, headers=headers, json={"title": f"{number}"}, timeout=60)
            assert created.status_code == 200
            assert httpx.get(items, headers=headers).json()["count"] == number + 1
        deadline = time.monotonic() + 20
        while True:
            text = httpx.get(metrics).text
            found = re.findall(
                r'^strangler_comparisons_total\{.*verdict="(\w+)"\} (\d+)', text, re.MULTILINE
            )
            verdicts = {verdict: 0 for verdict, _ in found}
            for verdict, count in found:
                verdicts[verdict] += int(count)
            if verdicts["match"] >= 10:
                break
            assert time.monotonic() < deadline, verdicts
            time.sleep(0.1)
        assert verdicts["mismatch"] == 0, text
    finally:
        process.terminate()
        process.wait(30)
