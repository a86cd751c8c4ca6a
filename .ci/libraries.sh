#!/bin/sh
# The libraries that can be published: `package` builds what would be uploaded, in the order of their
# dependencies, their documentation, and each without its features and with each of them alone, and prints
# how much each depends on (`docs` and `counts` do that alone); `semver` compares their public items with the last
# release.
# Every warning is an error, but for tests that are left out on purpose.
set -eu
cd "$(dirname "$0")/.."
libraries="celery-compat fastapi-compat-derive fastapi-compat comparison strangler"

# The default features of a library: those that a minimal user leaves out.
features() {
    # On one line or on several.
    sed -n '/^default = \[/{:more; /\]/!{N; b more;}; p;}' "crates/libs/$1/Cargo.toml" | grep -o '"[^"]*"' | tr -d '"'
}

# No feature needs another one, and nothing is left over without it.
alone() {
    for library in $libraries; do
        [ -n "$(features "$library")" ] || continue
        for feature in "" $(features "$library"); do
            cargo clippy --quiet --package "$library" --no-default-features --features "$feature" \
                -- --deny warnings || {
                echo "package: $library does not build with ${feature:-no feature} alone" >&2
                exit 1
            }
        done
    done
}

# The lines of the tree of dependencies; the READMEs have these figures.
lines() { # library, options
    library=$1
    shift
    cargo tree --package "$library" --edges normal --prefix none "$@" | sort -u | wc -l
}

counts() {
    for library in $libraries; do
        # Only fastapi-compat depends on it.
        [ "$library" = fastapi-compat-derive ] && continue
        if [ -z "$(features "$library")" ]; then
            echo "$library: $(lines "$library") lines of cargo tree, it has no features"
            continue
        fi
        case $library in
        fastapi-compat) before="150 at commit 6334c00" ;;
        strangler) before="152 at commit b369f90" ;;
        *) before=unknown ;;
        esac
        echo "$library: $(lines "$library" --no-default-features) lines of cargo tree for a minimal user," \
            "$(lines "$library") with the default features; before it had features: $before"
    done
}

docs() {
    # shellcheck disable=SC2046
    RUSTDOCFLAGS="--deny warnings" cargo doc --quiet --no-deps $(printf ' --package %s' $libraries)
}

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
    docs
    alone
    sed -n 's/^ *Packaged //p' "$log"
    counts
    if grep -q '^repository = "https://example.com/' Cargo.toml; then
        echo "package: name the repository in Cargo.toml before publishing" >&2
    fi
}

semver() {
    if [ "$(git rev-parse --is-shallow-repository)" = true ]; then
        echo "semver: a shallow clone may lack the tag to compare with: git fetch --unshallow --tags" >&2
        exit 1
    fi
    last=$(git tag --list 'v[0-9]*' --merged HEAD --sort=-version:refname | head -n 1)
    # A release is compared with the one before it.
    if [ -n "$last" ] && [ "$(git rev-parse "$last^{commit}")" = "$(git rev-parse HEAD)" ]; then
        last=$(git tag --list 'v[0-9]*' --merged HEAD~1 --sort=-version:refname | head -n 1)
    fi
    if [ -z "$last" ]; then
        echo "semver: there is no earlier tag v*, so there is nothing to compare with"
        return
    fi
    # CI caches the programs in cargo's own folder, and of `target` what cargo built there.
    tools=$PWD/target/tools
    [ -z "${CI:-}" ] || tools=${CARGO_HOME:-$HOME/.cargo}
    PATH="$tools/bin:$PATH"
    if ! cargo semver-checks --version >/dev/null 2>&1; then
        echo "semver: building cargo-semver-checks, once" >&2
        cargo install --quiet --debug --locked --root "$tools" --version 0.51.0 cargo-semver-checks
    fi
    broken=""
    for library in $libraries; do
        # It has no public items but macros, which the checks do not see.
        [ "$library" = fastapi-compat-derive ] && continue
        if ! git cat-file -e "$last:crates/libs/$library/Cargo.toml" 2>/dev/null; then
            echo "semver: $library is not in $last"
            continue
        fi
        cargo semver-checks --baseline-rev "$last" --package "$library" || broken="$broken $library"
    done
    if [ -n "$broken" ]; then
        echo "semver: since $last these changed by more than their versions say:$broken" >&2
        exit 1
    fi
}

case "${1:-}" in
package) package ;;
docs) docs ;;
counts) counts ;;
semver) semver ;;
*)
    echo "usage: libraries.sh package|docs|counts|semver" >&2
    exit 2
    ;;
esac
