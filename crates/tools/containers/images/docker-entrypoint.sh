#!/bin/sh
# Makes the cluster on first use, then runs the server: POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB
# and POSTGRES_HOST_AUTH_METHOD mean what they mean in the official image, whose name this has too.
set -eu
# Another command than the server is run as it is, as root.
[ "$1" = postgres ] || exec "$@"
user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}
method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
as_postgres() {
    setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"
}

if ! [ -s "$PGDATA/PG_VERSION" ]; then
    if [ "$method" != trust ] && [ -z "${POSTGRES_PASSWORD:-}" ]; then
        echo "docker-entrypoint: set POSTGRES_PASSWORD" >&2
        exit 1
    fi
    install -d -o postgres -g postgres -m 700 "$PGDATA"
    password=$(mktemp)
    printf '%s\n' "${POSTGRES_PASSWORD:-unused}" > "$password"
    chown postgres "$password"
    as_postgres initdb --username="$user" --pwfile="$password" --auth-local=trust \
        --auth-host="$method" --encoding=UTF8 --locale=C.UTF-8 -D "$PGDATA" >&2
    rm "$password"
    echo "host all all all $method" >> "$PGDATA/pg_hba.conf"
    if [ "$database" != postgres ]; then
        printf 'CREATE DATABASE "%s"\n' "$database" | as_postgres postgres --single -D "$PGDATA" postgres >&2
    fi
fi
install -d -o postgres -g postgres /var/run/postgresql
program=$1
shift
exec setpriv --reuid=postgres --regid=postgres --clear-groups -- \
    "$program" -c listen_addresses='*' "$@"
