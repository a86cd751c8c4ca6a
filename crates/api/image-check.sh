#!/bin/sh
# Builds the program of the image and runs it as the image does: nothing else in its root, nothing
# that can be written, user 65532. Needs root, for chroot; no Docker.
set -eu
cd "$(dirname "$0")/../.."
limit=30000000
host=$(rustc --print host-tuple)
RUSTFLAGS="-C target-feature=+crt-static" \
    cargo build --release --locked --package api --bin molt --target "$host"
program=target/$host/release/molt
size=$(stat -c %s "$program")
[ "$size" -lt $limit ] || { echo "image-check: $size bytes, over $limit" >&2; exit 1; }
if ldd "$program" >/dev/null 2>&1 && ! ldd "$program" 2>&1 | grep -q 'statically linked'; then
    echo "image-check: the program needs libraries: $(ldd "$program")" >&2
    exit 1
fi

root=$(mktemp -d)
service=""
trap '[ -z "$service" ] || kill "$service" 2>/dev/null || true; rm -rf "$root"' EXIT
mkdir -p "$root/data" "$root/dev" "$root/etc"
cp "$program" "$root/molt"
# Containers get these from their engine.
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/random" c 1 8
mknod -m 666 "$root/dev/urandom" c 1 9
printf '127.0.0.1 localhost\n' > "$root/etc/hosts"
chown 65532:65532 "$root/data"
chmod 555 "$root"
port=18099
env -i PATH="$PATH" PORT=$port MANAGEMENT_PORT=18098 DATABASE_URL=sqlite:////data/molt.db \
    chroot --userspec=65532:65532 "$root" /molt > target/image-check.log 2>&1 &
service=$!
tries=0
until env -i PATH="$PATH" PORT=$port MANAGEMENT_PORT=18098 chroot --userspec=65532:65532 "$root" /molt healthcheck \
    2>/dev/null; do
    tries=$((tries + 1))
    [ $tries -lt 50 ] || { cat target/image-check.log >&2; exit 1; }
    sleep 0.2
done
# Names are resolved by the program itself.
env -i PATH="$PATH" MANAGEMENT_HOST=localhost MANAGEMENT_PORT=18098 \
    chroot --userspec=65532:65532 "$root" /molt healthcheck
kill -TERM $service
wait $service
service=""
echo "image-check: $((size / 1000000)) MB, static; healthy, exits with 0, in an empty root"
