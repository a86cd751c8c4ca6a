#!/bin/sh
# The libraries that can be published: `package` builds what would be uploaded, in the order of their
# dependencies, and their documentation; `semver` compares their public items with the last release.
# Every warning is an error, but for tests that are left out on purpose.
set -eu
cd "$(dirname "$0")/.."
libraries="fastapi-compat-derive fastapi-compat comparison strangler"

package() {
    selected=$(printf ' --package %s' $libraries)
    log=target/package.log
    # shellcheck disable=SC2086
    # Tests that compare with Python need the repository: their absence is meant, and cargo says it.
    if ! cargo package --allow-dirty $selected 2>"$log" ||
        grep '^warning' "$log" | grep -qv '^warning: ignoring test `.* is not included in'; then
        cat "$log" >&2
        exit 1
    fi
    # shellcheck disable=SC2086
    RUSTDOCFLAGS="--deny warnings" cargo doc --quiet --no-deps $selected
    cargo check --quiet --package fastapi-compat --no-default-features
    sed -n 's/^ *Packaged //p' "$log"
    if grep -q '^repository = "https://example.com/' Cargo.toml; then
        echo "package: name the repository in Cargo.toml before publishing" >&2
    fi
}

semver() {
    last=$(git tag --list 'v[0-9]*' --merged HEAD --sort=-version:refname | head -n 1)
    # A release is compared with the one before it.
    if [ -n "$last" ] && [ "$(git rev-parse "$last^{commit}")" = "$(git rev-parse HEAD)" ]; then
        last=$(git tag --list 'v[0-9]*' --merged HEAD~1 --sort=-version:refname | head -n 1)
    fi
    if [ -z "$last" ]; then
        echo "semver: there is no earlier tag v*, so there is nothing to compare with"
        return
    fi
    if ! cargo semver-checks --version >/dev/null 2>&1; then
        if ! target/tools/bin/cargo-semver-checks --version >/dev/null 2>&1; then
            echo "semver: building cargo-semver-checks, once" >&2
            cargo install --quiet --debug --locked --root target/tools --version 0.51.0 \
                cargo-semver-checks
        fi
        PATH="$PWD/target/tools/bin:$PATH"
    fi
    for library in $libraries; do
        # It has no public items but macros, which the checks do not see.
        [ "$library" = fastapi-compat-derive ] && continue
        if ! git cat-file -e "$last:crates/libs/$library/Cargo.toml" 2>/dev/null; then
            echo "semver: $library is not in $last"
            continue
        fi
        cargo semver-checks --baseline-rev "$last" --package "$library"
    done
}

case "${1:-}" in
package) package ;;
semver) semver ;;
*)
    echo "usage: libraries.sh package|semver" >&2
    exit 2
    ;;
esac
