"""Writes the report of `make bridge` from those of `contract`: report.py FOLDER REPORT."""

import json
import sys
from pathlib import Path

reports = [json.loads(path.read_text()) for path in Path(sys.argv[1]).glob("*/report.json")]
runs = {label: run["totals"] for report in reports for label, run in report["runs"].items()}
report = {
    "requests": sum(run["total"] for run in runs.values()),
    "different": sum(run["different"] for run in runs.values()),
    # What neither equals the reference nor is allowed to differ.
    "failures": sum(run["different"] + run["unsteady"] for run in runs.values()),
    "runs": runs,
}
Path(sys.argv[2]).write_text(json.dumps(report, indent=2) + "\n")
sys.stdout.write(
    f"{report['requests']} requests, {report['different']} different, "
    f"{report['failures']} failures\n"
)
sys.exit(1 if report["different"] or report["failures"] or not report["requests"] else 0)
