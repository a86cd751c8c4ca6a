#!/bin/sh
# Writes what the storage crates need to check their SQL without a database; with --check it only
# compares that with what is committed. Variables such as POSTGRES_URL name databases with the schema.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

verb=build
[ "${1:-}" != --check ] || verb=check # what is built stays as it is
compile() { # where descriptions of the statements go
    SQLX_OFFLINE_DIR="$1" cargo $verb --quiet --workspace --test suite
}
compile "$work" # from here on, only what is touched is compiled
for folder in crates/storage-*; do
    crate=${folder#crates/}
    mkdir "$work/$crate"
    touch -r "crates/$crate/src/lib.rs" "$work/time"
    touch "crates/$crate/src/lib.rs"
    compile "$work/$crate"
    touch -r "$work/time" "crates/$crate/src/lib.rs"
    if [ $verb = build ]; then
        rm -rf "crates/$crate/.sqlx"
        cp -r "$work/$crate" "crates/$crate/.sqlx"
    elif ! diff -r "$work/$crate" "crates/$crate/.sqlx"; then
        echo "crates/$crate/.sqlx is out of date: run \`make sqlx\`" >&2
        exit 1
    fi
done
