#!/bin/sh
# Both images on an engine: with root one is installed and started if need be, else the one that answers is
# used. At most six minutes; what cannot be run here is counted in target/containers/report.json and does
# not fail.
set -eu
cd "$(dirname "$0")/.."

missing=""
command -v dockerd >/dev/null 2>&1 || missing="$missing docker.io iptables"
command -v debootstrap >/dev/null 2>&1 || missing="$missing debootstrap"
command -v tc >/dev/null 2>&1 || missing="$missing iproute2"
command -v strip >/dev/null 2>&1 || missing="$missing binutils"
if [ "$(id -u)" = 0 ] && [ -n "$missing" ]; then
    # shellcheck disable=SC2086
    timeout 120 sh -c 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@"' install $missing ||
        echo "containers: WARNING: could not be installed:$missing" >&2
fi

make build
status=0
timeout --kill-after=30 360 make containers-short || status=$?
if [ $status = 124 ]; then
    echo "containers: WARNING: stopped after six minutes; the rest was not run" >&2
    ! grep -q '"failed": [1-9]' target/containers/report.json || exit 1
    exit 0
fi
exit $status
