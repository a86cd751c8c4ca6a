#!/bin/sh
# In place of cargo, for maturin (CARGO=…/compiled.sh): builds as the Makefile does, with the features of
# the whole workspace, so that what the tests compiled is not compiled again for the wheel.
set -eu
if [ "${1:-}" = rustc ]; then
    messages=target/wheel.json
    cargo build --workspace --test schemas --bin contract --locked \
        --message-format json-render-diagnostics > $messages
    # Without symbols it is a third of the size.
    mkdir -p target/wheel
    strip -o target/wheel/contract target/debug/contract
    # The test is no part of the wheel.
    grep -v '"kind":\["test"\]' $messages | sed 's|/target/debug/contract"|/target/wheel/contract"|g'
    exit
fi
exec cargo "$@"
