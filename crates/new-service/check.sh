#!/bin/sh
# Makes services in several combinations, gives them resources, and runs their own `make lint test`.
# All are made in one place, one after the other, so that what they share is compiled once.
set -eu
cd "$(dirname "$0")/../.."
root=$PWD
place=$root/target/new-service/service
log=$root/target/new-service/log
# Tools, Python and compiled dependencies are Molt's: the service finds them where it would make them.
rm -rf "$place"
mkdir -p "$place"
ln -s "$root/target" "$place/target"
git init --quiet "$place"
cargo build --quiet --package new-service

# The new files over the old ones; what is the same keeps its time, so that cargo knows it.
replace() { # from, to
    "${PYTHON:-python3}" - "$1" "$2" <<'END'
import filecmp, os, shutil, sys
new, old = sys.argv[1:]
KEPT = {"target", ".git"}
for folder, folders, files in os.walk(old):
    if folder == old:
        folders[:] = [name for name in folders if name not in KEPT]
    for name in files:
        path = os.path.join(folder, name)
        if not os.path.exists(os.path.join(new, os.path.relpath(path, old))):
            os.remove(path)
for folder, folders, files in os.walk(new):
    if folder == new:
        folders[:] = [name for name in folders if name not in KEPT]
    for name in files:
        path = os.path.join(folder, name)
        other = os.path.join(old, os.path.relpath(path, new))
        if not os.path.exists(other) or not filecmp.cmp(path, other, shallow=False):
            os.makedirs(os.path.dirname(other), exist_ok=True)
            shutil.copy(path, other)
END
}

# Without an argument to --without, clap takes an empty list amiss.
service() { # name, without
    echo "== $1${2:+, without $2} ($(date +%T))"
    rm -rf "$place.new"
    target/debug/new-service "$1" --into "$place.new" ${2:+--without "$2"} > /dev/null
    replace "$place.new" "$place"
    rm -rf "$place.new"
}

run() { # a command in the service
    (cd "$place" && "$@") > "$log" 2>&1 || {
        tail -n 60 "$log" >&2
        echo "new-service: \`$*\` fails in $place; all it said is in $log" >&2
        exit 1
    }
}

resource() { # name, fields
    run make resource NAME="$1" FIELDS="$2"
    # Once more changes nothing.
    (cd "$place" && git add --all && git -c user.name=check -c user.email=check@example.com \
        commit --quiet --allow-empty --message "$1")
    run cargo run --quiet --package scaffold -- resource "$1" "$2"
    changed=$(cd "$place" && git status --porcelain)
    [ -z "$changed" ] || { echo "new-service: a second run changes $changed" >&2; exit 1; }
}

every_type="number:string(1..40) weight:integer(0..100000) total:decimal paid:boolean
    batch:uuid due:date note:string? rest:decimal(6,3)? parent:uuid? shipped:date? level:integer?"

combination() {
    case $1 in
        1)
            service parcel-service ""
            resource orders "$every_type"
            resource order_lines "text:text amount:decimal(5,0) gift:boolean?"
            ;;
        2)
            service shop items,strangler
            resource categories "name:string(2..80) position:integer(1..)"
            resource boxes "code:string code_of_other:string?"
            ;;
        3) service ledger python-legacy,strangler ;;
        4)
            service minimal items,python-legacy,strangler,sqlite
            resource orders "$every_type"
            ;;
    esac
    run make lint test
}

for number in ${COMBINATIONS:-1 2 3 4}; do combination "$number"; done
echo "== all of them pass their own \`make lint test\` ($(date +%T))"
