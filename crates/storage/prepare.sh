#!/bin/sh
# Writes what the storage crates need to check their SQL without a database; with --check it only
# compares that with what is committed. POSTGRES_URL and SQLITE_URL name databases with the schema.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for crate in storage-postgres storage-sqlite; do
    mkdir "$work/$crate"
    touch "crates/$crate/src/lib.rs" # a crate that is up to date would not be looked at
    SQLX_OFFLINE_DIR="$work/$crate" cargo build --quiet --package "$crate"
    if [ "${1:-}" != --check ]; then
        rm -rf "crates/$crate/.sqlx"
        cp -r "$work/$crate" "crates/$crate/.sqlx"
    elif ! diff -r "$work/$crate" "crates/$crate/.sqlx"; then
        echo "crates/$crate/.sqlx is out of date: run \`make sqlx\`" >&2
        exit 1
    fi
done
