#!/bin/sh
# Makes the images that the Dockerfiles are built on, and those of compose.yaml, from Debian's packages
# alone: no image registry is used. `make.sh NAME…` makes these of rust, python, postgres, mail and
# compose, without a name all of them. One that is there and was made from the same files is kept.
# Needs root (for debootstrap) and an engine that `docker` reaches.
set -eu
cd "$(dirname "$0")"
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

exists() { # image, key: whether it was made from the same files
    [ "$(docker image inspect --format '{{index .Config.Labels "molt.key"}}' "$1" 2>/dev/null)" = "$2" ]
}

debian() { # suite
    image=molt-local/debian:$1
    docker image inspect "$image" >/dev/null 2>&1 && return
    echo "images: $image" >&2
    debootstrap --variant=minbase --include=ca-certificates "$1" "$work/$1" "$mirror" > "$work/$1.log" 2>&1 || {
        tail -n 20 "$work/$1.log" >&2
        exit 1
    }
    # What the machine trusts, its images trust while they are built.
    cp /etc/ssl/certs/ca-certificates.crt "$work/$1/etc/ssl/certs/ca-certificates.crt"
    rm -rf "$work/$1"/var/cache/apt/archives/*.deb "$work/$1"/var/lib/apt/lists/*
    tar -C "$work/$1" -c . | docker import --change 'CMD ["sh"]' - "$image" >/dev/null
    rm -rf "${work:?}/$1"
}

build() { # name, key, build context
    echo "images: molt-local/$1" >&2
    docker build --quiet --label "molt.key=$2" --tag "molt-local/$1" -f "$1.Dockerfile" "$3" >/dev/null
}

for name in ${*:-rust python postgres mail compose}; do
    files="$name.Dockerfile make.sh"
    [ "$name" != postgres ] || files="$files docker-entrypoint.sh"
    # shellcheck disable=SC2086
    key=$(cat $files | cksum | cut -d ' ' -f 1)
    [ "$name" != rust ] || key="$key $(rustc --version)"
    ! exists "molt-local/$name" "$key" || continue
    case $name in
        postgres | compose) debian trixie ;;
        *) debian bookworm ;;
    esac
    if [ "$name" = rust ]; then
        toolchain=$(rustc --print sysroot)
        mkdir "$work/rust" "$work/rust/bin" "$work/rust/lib"
        cp -a "$toolchain/bin/rustc" "$toolchain/bin/cargo" "$work/rust/bin/"
        cp -a "$toolchain/lib/." "$work/rust/lib/"
        rm -rf "$work/rust/lib/rustlib/src"
        build rust "$key" "$work/rust"
        rm -rf "$work/rust"
    else
        build "$name" "$key" .
    fi
done
