#!/bin/sh
# Measures the bridge with the release build, or with that of the tests: bench.sh [debug].
set -eu
cd "$(dirname "$0")/../.."
profile=${1:-release}
work=target/bridge-bench
rm -rf $work
mkdir -p $work/service $work/echo
if [ "$profile" = release ]; then
    cargo build --release --package bridge --package asgi-bridge --lib --example echo
fi
for name in service echo; do
    cp -r crates/bridge/python/molt_bridge $work/$name/
done
cp "target/$profile/lib_native.so" $work/service/molt_bridge/_native.abi3.so
cp "target/$profile/examples/libecho.so" $work/echo/molt_bridge/_native.abi3.so
export PYTHONDONTWRITEBYTECODE=1
measure() { # package, path, what
    PYTHONPATH=$PWD/$work/$1:$PWD/$2 target/venv/bin/python crates/bridge/bench.py $work/results.json "$3"
}
measure echo crates/bridge/tests requests
measure service python-legacy functions
