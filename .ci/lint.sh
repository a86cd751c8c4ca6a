#!/bin/sh
# What is not our code: advisories, licences, bans and sources of what the services are made of, and
# files that only programs of others read. What cannot be checked
# without a network is a loud warning; everything else fails.
set -eu
unchecked=""

# [with molt]
./.ci/words.sh
"${PYTHON:-python3}" .ci/imports.py
# [end]

# The log as JSON has only the outermost message of an error that is given as a value: causes are lost.
if git grep -n 'as &dyn \(std::error::\)\?Error' -- 'crates/**/src/*.rs'; then
    echo "lint: log errors as text, with all of their causes: domain::chain" >&2
    exit 1
fi

if ! target/tools/bin/cargo-deny --version >/dev/null 2>&1; then
    echo "lint: building cargo-deny, once" >&2
    cargo install --quiet --debug --locked --root target/tools --version 0.20.2 cargo-deny
fi
PATH="$PWD/target/tools/bin:$PATH"
cargo deny --log-level error check bans licenses sources
if cargo deny --log-level off fetch db >/dev/null 2>&1; then
    cargo deny --log-level error check --disable-fetch advisories
else
    unchecked="$unchecked Rust"
fi

venv=target/venv-audit
if ! [ -e $venv/.complete ] || [ .ci/requirements.txt -nt $venv/.complete ]; then
    "${PYTHON:-python3}" -m venv $venv
    $venv/bin/python -m pip install --quiet --disable-pip-version-check -r .ci/requirements.txt
    touch $venv/.complete
fi
# Files that only others' programs read: their schemas come with the checker.
$venv/bin/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
# [with molt]
$venv/bin/check-jsonschema --quiet --builtin-schema vendor.github-actions crates/tools/*/action.yml
# [end]
$venv/bin/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
$venv/bin/check-jsonschema --quiet --builtin-schema vendor.compose-spec compose.yaml

# [with python-legacy]
report=target/pip-audit.json
rm -f "$report"
# It fails for an advisory and for lack of a network alike; only the former leaves a report.
if ! $venv/bin/pip-audit --disable-pip --require-hashes --timeout 10 --progress-spinner off \
    --requirement python-legacy/requirements-dev.lock --format json --output "$report" \
    2>target/pip-audit.log; then
    if [ -s "$report" ]; then
        cat target/pip-audit.log >&2
        exit 1
    fi
    unchecked="$unchecked Python"
fi
# [end]

for language in $unchecked; do
    echo "lint: WARNING: the advisories for $language packages were NOT checked: their database" \
        "cannot be reached" >&2
done
