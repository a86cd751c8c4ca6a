"""Uses the wheel as a user does: by the first page of the README, and by the action.

Usage: installed.py FOLDER WHEELS, where FOLDER is that of the tool.

Every block of shell commands of the page is run in an empty folder, in order, as it is printed,
with the wheel from WHEELS; what the page shows as output must be printed. The action's script runs
as GitHub runs it, with a service that does what is expected and with one that does not.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

HEADING = "## Ten minutes"


def blocks(page: str) -> list[tuple[str, str]]:
    """The language and the text of each block of code below the heading."""
    section = page.split(f"\n{HEADING}", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^```(\w+)\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def environment(wheels: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_FIND_LINKS": str(wheels),
        "PIP_NO_INDEX": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def page(readme: Path, wheels: Path) -> None:
    found = blocks(readme.read_text())
    script = [text for language, text in found if language == "sh"]
    expected = [text for language, text in found if language == "text"]
    if not script or not expected:
        sys.exit(f"{readme}: no commands or no outputs below '{HEADING}'")
    # Another program may have the ports of the page.
    for port in ("8101", "8102"):
        free = str(free_port())
        script = [text.replace(port, free) for text in script]
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "output")
        with output.open("wb") as file:
            # A group of its own: what the page starts in the background ends with it.
            process = subprocess.Popen(
                ["bash", "-e", "-c", "\n".join(script)],
                cwd=folder,
                env=environment(wheels),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                code = process.wait(timeout=300)
            finally:
                subprocess.run(["kill", "--", f"-{process.pid}"], stderr=subprocess.DEVNULL)
        printed = output.read_text()
    rest = printed
    for line in "".join(expected).splitlines():
        _, is_there, rest = rest.partition(line)
        if not is_there:
            sys.exit(f"the page shows a line that is not printed: {line}\n\n{printed}")
    if code != 0:
        sys.exit(f"the commands of the page ended with {code}:\n{printed}")


def action(tool: Path, wheels: Path) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        port = free_port()
        server = subprocess.Popen(
            [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            for status, result in ((200, 0), (201, 1)):
                case = f"- {{name: a, request: GET /cases.yaml, status: {status}}}\n"
                folder.joinpath("cases.yaml").write_text(case)
                inputs = {
                    "INPUT_CANDIDATE": f"http://127.0.0.1:{port}",
                    "INPUT_CASES": "cases.yaml",
                    "INPUT_ARGUMENTS": "--retries 8 --label 'two words'",
                }
                run_action(tool, folder, environment(wheels) | inputs, result)
                summary = folder.joinpath("summary").read_text()
                outputs = folder.joinpath("outputs").read_text()
                expected = f"result={result}\ndifferent={result}\n"
                if "`two words`" not in summary or expected not in outputs:
                    sys.exit(f"the action wrote {summary} and {outputs}")
            run_action(tool, folder, environment(wheels) | {"INPUT_VERSION": "1.0"}, 2)
        finally:
            server.kill()
            server.wait()


def run_action(tool: Path, folder: Path, variables: dict[str, str], expected: int) -> None:
    of_github = {
        "GITHUB_OUTPUT": str(folder / "outputs"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        "RUNNER_TEMP": str(folder),
    }
    done = subprocess.run(
        ["bash", str(tool / "wheel/action.sh")],
        cwd=folder,
        env=variables | of_github,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode != expected:
        sys.exit(f"the action ended with {done.returncode}:\n{done.stdout}{done.stderr}")


tool, wheels = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
page(tool / "README.md", wheels)
action(tool, wheels)
