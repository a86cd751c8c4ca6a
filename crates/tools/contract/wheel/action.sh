#!/bin/bash
# What the action runs: installs the wheel, runs `contract run` with the inputs (INPUT_…), adds the
# report to the summary of the job, and ends as the run did.
set -euo pipefail

fail() {
    echo "::error title=contract::$1"
    exit 2
}

[ -n "${INPUT_CANDIDATE:-}" ] || fail "the input 'candidate' is missing"
[[ "${INPUT_VERSION:-}" =~ ^([0-9]+(\.[0-9]+)*([a-z]+[0-9]+)?)?$ ]] || fail "the input 'version' is no version"
report=${INPUT_REPORT:-target/contract}

environment=${RUNNER_TEMP:-/tmp}/contract-environment
python3 -m venv "$environment"
# On Windows, programs are elsewhere.
programs=$environment/bin
[ -d "$programs" ] || programs=$environment/Scripts
"$programs/python" -m pip install --quiet --disable-pip-version-check \
    "molt-tools${INPUT_VERSION:+==$INPUT_VERSION}"

arguments=(run --candidate "$INPUT_CANDIDATE" --report "$report/report.json")
for name in reference cases generate document replay ledger; do
    variable=INPUT_${name^^}
    [ -z "${!variable:-}" ] || arguments+=("--$name" "${!variable}")
done
# Quoted as in a shell, but nothing is run or expanded.
split='import os, shlex; print(end="".join(a + "\0" for a in shlex.split(os.environ.get("INPUT_ARGUMENTS", ""))))'
mapfile -d '' -t more < <("$programs/python" -c "$split")

result=0
"$programs/contract" "${arguments[@]}" "${more[@]}" || result=$?

if [ -e "$report/report.md" ]; then
    cat "$report/report.md" >> "${GITHUB_STEP_SUMMARY:-/dev/null}"
fi
different=""
if [ -e "$report/report.json" ]; then
    count='import json, sys; print(json.load(open(sys.argv[1]))["different"])'
    different=$("$programs/python" -c "$count" "$report/report.json")
fi
{
    echo "result=$result"
    echo "different=$different"
} >> "${GITHUB_OUTPUT:-/dev/null}"
exit "$result"
