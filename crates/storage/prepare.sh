#!/bin/sh
# Writes what the storage crates need to check their SQL without a database; with --check it only
# compares that with what is committed. DATABASE_URL is an empty PostgreSQL database.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sqlite="$work/check.db"

target/debug/molt migrate
DATABASE_URL="sqlite:///$sqlite" target/debug/molt migrate

prepare() { # crate, folder for the data
    touch "crates/$1/src/lib.rs" # a crate that is up to date would not be looked at
    SQLX_OFFLINE_DIR="$2" cargo check --quiet --package "$1"
}
for crate in storage-postgres storage-sqlite; do
    mkdir "$work/$crate"
    POSTGRES_URL="$DATABASE_URL" SQLITE_URL="sqlite://$sqlite" prepare "$crate" "$work/$crate"
    if [ "${1:-}" != --check ]; then
        rm -rf "crates/$crate/.sqlx"
        cp -r "$work/$crate" "crates/$crate/.sqlx"
    elif ! diff -r "$work/$crate" "crates/$crate/.sqlx"; then
        echo "crates/$crate/.sqlx is out of date: run \`make sqlx\`" >&2
        exit 1
    fi
done
