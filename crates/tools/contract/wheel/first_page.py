"""Runs the first page of the README in an empty folder: every block of its shell commands, in order.

Usage: first_page.py README.md WHEELS

The wheel comes from the folder WHEELS; everything else is as it is printed. A block after which
the page shows the text of an output must print that text.
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


def main() -> None:
    readme, wheels = Path(sys.argv[1]), Path(sys.argv[2]).resolve()
    found = blocks(readme.read_text())
    script, expected = [], []
    for language, text in found:
        if language == "sh":
            script.append(text)
        elif language == "text":
            expected.append(text)
    if not script or not expected:
        sys.exit(f"{readme}: no commands or no outputs below '{HEADING}'")
    # Another program may have the ports of the page.
    ports = {port: str(free_port()) for port in ("8101", "8102")}
    for port, free in ports.items():
        script = [text.replace(port, free) for text in script]
        expected = [text.replace(port, free) for text in expected]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_FIND_LINKS": str(wheels),
        "PIP_NO_INDEX": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "output")
        with output.open("wb") as file:
            # A group of its own: what the page starts in the background ends with it.
            process = subprocess.Popen(
                ["bash", "-e", "-c", "\n".join(script)],
                cwd=folder,
                env=environment,
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
    for text in expected:
        lines = [line for line in text.splitlines() if line.strip() not in ("", "…")]
        for line in lines:
            _, found_line, rest = rest.partition(line)
            if not found_line:
                sys.exit(f"the page shows a line that is not printed: {line}\n\n{printed}")
    if code != 0:
        sys.exit(f"the commands of the page ended with {code}:\n{printed}")


main()
