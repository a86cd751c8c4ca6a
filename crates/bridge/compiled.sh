#!/bin/sh
# In place of cargo, for maturin (CARGO=…/compiled.sh): builds as the Makefile does, with the features of the
# whole workspace, so that what the tests compiled is not compiled again for the wheel.
set -eu
if [ "${1:-}" = rustc ]; then
    messages=target/bridge/messages.json
    # What maturin sets for pyo3 would have it compiled again, to the same.
    unset PYO3_PYTHON PYO3_CONFIG_FILE PYO3_ENVIRONMENT_SIGNATURE PYO3_BUILD_EXTENSION_MODULE
    cargo build --workspace --test schemas --lib --example echo --locked \
        --message-format json-render-diagnostics > $messages
    # Without symbols it is a third of the size.
    strip -o target/bridge/lib_native.so target/debug/lib_native.so
    # The other crates are no part of the wheel.
    grep -E '"name":"_native"|"reason":"build-finished"' $messages \
        | sed 's|/target/debug/lib_native.so"|/target/bridge/lib_native.so"|g'
    exit
fi
exec cargo "$@"
