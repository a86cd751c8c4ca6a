#!/bin/sh
# Builds the wheel around the program that the tests compile, installs it into a fresh virtual
# environment as a user does, and runs the first page of the README there, as it is printed, and the
# script of the action.
set -eu
cd "$(dirname "$0")/../../../.."
python=${PYTHON:-python3}
folder=crates/tools/contract
venv=target/venv-wheel
if ! [ -e $venv/.complete ] || [ $folder/wheel/requirements.lock -nt $venv/.complete ]; then
    "$python" -m venv $venv
    $venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
        -r $folder/wheel/requirements.lock
    touch $venv/.complete
fi
wheels=$PWD/target/wheels
rm -rf "$wheels"
CARGO=$PWD/$folder/wheel/compiled.sh $venv/bin/maturin build --quiet --profile dev \
    --manifest-path $folder/Cargo.toml --auditwheel skip --strip false --compression-method stored \
    --out "$wheels"
"$python" $folder/wheel/installed.py $folder "$wheels"
