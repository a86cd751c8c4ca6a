#!/bin/sh
# Builds the wheel around what the tests compile, installs it into a fresh virtual environment beside what
# python-legacy needs, and runs its tests there; then `contract` with python-legacy behind the bridge.
# `--short`: one run of `contract`, on the written cases.
set -eu
cd "$(dirname "$0")/../.."
folder=crates/bridge
work=target/bridge
rm -rf $work
mkdir -p $work/echo

tools=target/venv-wheel
if ! [ -e $tools/.complete ] || [ crates/tools/contract/wheel/requirements.lock -nt $tools/.complete ]; then
    "${PYTHON:-python3}" -m venv $tools
    $tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
        -r crates/tools/contract/wheel/requirements.lock
    touch $tools/.complete
fi
CARGO=$PWD/$folder/compiled.sh $tools/bin/maturin build --quiet --profile dev \
    --manifest-path $folder/Cargo.toml --auditwheel skip --strip false --compression-method stored \
    --interpreter "${PYTHON:-python3}" --out $work/wheels

# The packages of target/venv, and nothing of this wheel from an earlier run.
venv=$work/venv
"${PYTHON:-python3}" -m venv --without-pip $venv
packages=$($venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
target/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > "$packages/service.pth"
target/venv/bin/python -m pip --python $venv/bin/python install --quiet --disable-pip-version-check \
    --no-index --no-deps $work/wheels/*.whl

export PYTHONDONTWRITEBYTECODE=1
python=$PWD/$venv/bin/python
# The same Python around the example's Rust.
cp -r $folder/python/molt_bridge $work/echo/
cp target/debug/examples/libecho.so $work/echo/molt_bridge/_native.abi3.so
pytest="-m pytest --quiet --durations 5 -p no:cacheprovider --rootdir $folder/tests"
# shellcheck disable=SC2086
PYTHONPATH=$PWD/$work/echo "$python" $pytest $folder/tests/test_echo.py $folder/tests/test_servers.py
# shellcheck disable=SC2086
PYTHONPATH=python-legacy "$python" $pytest $folder/tests/test_wheel.py

failed=0
run() { # label, plan, more arguments
    label=$1
    echo "$2" > "$work/$label.yaml"
    shift 2
    TESTBED_PYTHON=$python target/debug/testbed sqlite --bridge "$work/$label.yaml" -- \
        target/debug/contract run --users admin,alice --label "$label" \
        --report "$work/contract/$label/report.json" "$@" || failed=1
}
ledger="--ledger openapi/ledger.yaml"
if [ "${1:-}" = --short ]; then
    # shellcheck disable=SC2086
    run native "default: native" $ledger
else
    generated="--generate openapi/openapi.json --count ${REQUESTS:-1000} --seed ${SEED:-1}"
    # shellcheck disable=SC2086
    run native "default: native" $ledger $generated
    # shellcheck disable=SC2086
    run legacy "default: legacy" $generated
    # How deep Python's JSON may nest depends on how deep the stack is already, and a call from Rust begins
    # two frames further up than one of the server.
    # shellcheck disable=SC2086
    run shadow "default: shadow" $generated --skip "case:a body beyond what Python reads"
    # shellcheck disable=SC2086
    run canary "default: canary 100%" $ledger $generated
fi
"$python" $folder/report.py $work/contract $work/report.json || failed=1
exit $failed
