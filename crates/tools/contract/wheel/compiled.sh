#!/bin/sh
# In place of cargo, for maturin (CARGO=…/compiled.sh): builds as the Makefile does, with the features of
# the whole workspace, so that what the tests compiled is not compiled again for the wheel.
set -eu
if [ "${1:-}" = rustc ]; then
    messages=target/wheel.json
    cargo build --workspace --test schemas --bin contract --locked \
        --message-format json-render-diagnostics > $messages
    # The test is no part of the wheel.
    grep -v '"kind":\["test"\]' $messages
    exit
fi
exec cargo "$@"
