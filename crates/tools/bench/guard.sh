#!/bin/sh
# Counts the instructions of the hot paths in two revisions, BASE and the work tree, and fails if
# one takes over 3 % more. Instructions do not depend on what else the machine is doing.
set -eu
base=${1:?"which revision? make bench-guard BASE=<revision>"}
limit=3
command -v valgrind >/dev/null || {
    echo "bench-guard counts with callgrind (Debian: apt-get install valgrind)" >&2
    exit 2
}
commit=$(git rev-parse --verify --quiet "$base^{commit}") || {
    echo "bench-guard: there is no revision '$base' here" >&2
    exit 2
}
out=target/bench-guard
mkdir -p "$out"
old="$out/base"
git worktree remove --force "$old" 2>/dev/null || true
git worktree prune
git worktree add --quiet --detach "$old" "$commit"
trap 'git worktree remove --force "$old"' EXIT

# Each has its own build folder: cargo would take the other's newer files for built.
build() { # folder, build folder, name
    echo "bench-guard: building $3" >&2
    if ! (cd "$1" && CARGO_TARGET_DIR="$2" cargo build --quiet --profile profiling \
        --package bench --bin hot_paths); then
        echo "bench-guard: $3 has no hot paths that can be built" >&2
        exit 2
    fi
    cp "$2/profiling/hot_paths" "$out/$3"
}
root=$(pwd)
build "$old" "$root/$out/build" old
build . "$root/target" new
cmp -s "$out/old" "$out/new" && echo "bench-guard: both are the same program" >&2

total() { # program, path, times
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$1" "$2" "$3" 2>&1 |
        sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}
# What a thousand more of them take: everything that happens once falls out.
each() { # program, path
    less=$(total "$1" "$2" 100)
    more=$(total "$1" "$2" 1100)
    echo $(((more - less) / 1000))
}

printf '%-12s %12s %12s %8s\n' path "$(git rev-parse --short "$commit")" "work tree" change
failed=0
for path in decode explain token serialise request; do
    before=$(each "$out/old" "$path")
    after=$(each "$out/new" "$path")
    change=$((100 * (after - before) / before))
    printf '%-12s %12s %12s %7s%%\n' "$path" "$before" "$after" "$change"
    [ $((100 * after)) -le $(((100 + limit) * before)) ] || failed=1
done
if [ $failed = 1 ]; then
    echo "A hot path takes over $limit % more instructions than in $base" >&2
    exit 1
fi
