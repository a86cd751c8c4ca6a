#!/bin/sh
# Makes services in several combinations, gives them resources, and runs their own `make lint test`.
# All are made in one folder, one after the other, so that what they share is compiled once. They have
# the libraries from a git repository with this work tree, where a change of a library reaches them by
# an update.
set -eu
cd "$(dirname "$0")/../../.."
root=$PWD
work=$root/target/service-check
service=$work/service
log=$work/log
libraries=$work/libraries
mkdir -p "$libraries" "$service/target"

# A commit of the libraries as they are here, with a tag. The same files are the same commit, so that what
# was compiled stays.
release() { # tag
    (
        cd "$libraries"
        export GIT_AUTHOR_NAME=check GIT_AUTHOR_EMAIL=check@example.com GIT_AUTHOR_DATE=2000-01-01T00:00Z
        export GIT_COMMITTER_NAME=check GIT_COMMITTER_EMAIL=check@example.com
        export GIT_COMMITTER_DATE=2000-01-01T00:00Z
        git add --all
        commit=$(git commit-tree --no-gpg-sign -m "$1" "$(git write-tree)")
        git update-ref refs/heads/main "$commit"
        git tag --force "$1" "$commit" > /dev/null
    )
}
rm -rf "$libraries"
git init --quiet --initial-branch main "$libraries"
git ls-files -z --cached --others --exclude-standard Cargo.toml LICENSE crates |
    tar --create --null --ignore-failed-read --files-from - 2>/dev/null | tar --extract --directory "$libraries"
release v0.1.0
# `make service` has it from the environment.
export LIBRARIES="git=file://$libraries#v0.1.0"

# Tools are Molt's: the service finds them where it would make them. What is compiled is not: cargo
# takes packages at the same path in two workspaces for the same one.
for tool in tools npm; do
    [ ! -e "target/$tool" ] || ln -sfn "$root/target/$tool" "$service/target/$tool"
done
git init --quiet "$service"
cargo build --quiet --package scaffold
# What comes from the registry is the same in both: it is copied, Molt's own packages are not.
if [ -d target/debug/deps ] && ! [ -d "$service/target/debug" ]; then
    mkdir "$service/target/debug"
    for part in .fingerprint build deps; do cp -a "target/debug/$part" "$service/target/debug/"; done
    for package in crates/* crates/libs/* crates/tools/*; do
        rm -rf "$service/target/debug/.fingerprint/${package##*/}"-*
    done
fi

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
for folder, _, _ in os.walk(old, topdown=False):
    kept = os.path.relpath(folder, old).split(os.sep)[0] in KEPT
    if not kept and not os.listdir(folder):
        os.rmdir(folder)
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
    rm -rf "$service.new"
    target/debug/scaffold service "$1" --into "$service.new" ${2:+--without "$2"} --libraries "$LIBRARIES" \
        > /dev/null
    replace "$service.new" "$service"
    rm -rf "$service.new"
}

run() { # a command in the service
    echo "   $(date +%T) $*" | head -n 1
    (cd "$service" && "$@") > "$log" 2>&1 || {
        tail -n 60 "$log" >&2
        echo "service-check: \`$*\` fails in $service; its output is in $log" >&2
        exit 1
    }
}

resource() { # name, fields
    run make resource NAME="$1" FIELDS="$2"
    # Once more changes nothing.
    (cd "$service" && git add --all && git -c user.name=check -c user.email=check@example.com \
        commit --quiet --allow-empty --message "$1")
    run target/debug/scaffold resource "$1" "$2"
    changed=$(cd "$service" && git status --porcelain)
    [ -z "$changed" ] || { echo "service-check: a second run changes $changed" >&2; exit 1; }
}

# A service of others, with Rust before it: first all passed on, then one operation written.
third_party() { # app, operations, the one that is written, what it answers, its id
    app=$1
    echo "== the first Rust before $app ($(date +%T))"
    python="$root/target/venv/bin/python"
    third_party="$root/crates/tools/scaffold/tests/third_party"
    # In a folder of their own, as in production.
    (cd "$third_party" && "$python" -B -c "import json, $app; print(json.dumps($app.app.openapi()))") \
        > "$service/target/$app.json"
    cp "$service/Cargo.toml" "$work/Cargo.toml"
    run make draft DOCUMENT="target/$app.json" NAME="$app-service" OPERATIONS="$2"
    draft="$service/crates/$app-service"
    run cargo clippy --quiet --workspace --all-targets -- --deny warnings
    run cargo test --quiet --workspace --test document
    compare
    sed -i "s|not_written(\"$3\")|$4|" "$draft/src/routes.rs"
    sed -i "s|  $5: legacy|  $5: native|" "$draft/plan.yaml"
    compare
    rm -r "$draft"
    cp "$work/Cargo.toml" "$service/Cargo.toml"
}

everything() { # app: the ids of all its operations
    (cd "$root/crates/tools/scaffold/tests/third_party" && "$root/target/venv/bin/python" -B -W ignore -c "import $1
operations = (one for path in $1.app.openapi()['paths'].values() for one in path.values())
print(','.join(one['operationId'] for one in operations))")
}

# Two of the old service, one behind the new: the same requests to both.
compare() {
    run cargo build --quiet --workspace --test programs --bin "$app-service"
    pids=""
    trap 'kill $pids 2>/dev/null || true' EXIT
    for port in 18611 18612; do
        (cd "$third_party" && exec "$python" -B -m uvicorn --log-level warning --port $port "$app:app") >> "$log.service" 2>&1 &
        pids="$pids $!"
    done
    LEGACY_URL=http://127.0.0.1:18612 PORT=18613 MANAGEMENT_PORT=18614 \
        "$service/target/debug/$app-service" >> "$log.service" 2>&1 &
    pids="$pids $!"
    "$python" - 18611 18612 18613 18614 <<'END'
import socket, sys, time
for port in map(int, sys.argv[1:]):
    end = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            if time.monotonic() > end:
                sys.exit(f"nothing listens on {port}")
            time.sleep(0.1)
END
    run target/debug/contract run --reference http://127.0.0.1:18611 \
        --candidate http://127.0.0.1:18613 --cases "crates/$app-service/cases.yaml" \
        --generate "crates/$app-service/openapi.json" --count 500 --report "target/$app/report.json"
    # shellcheck disable=SC2086
    kill $pids
    # shellcheck disable=SC2086
    wait $pids 2>/dev/null || true
    trap - EXIT
}

every_type="number:string(1..40) weight:integer(0..100000) total:decimal paid:boolean
    batch:uuid due:date note:string? rest:decimal(6,3)? parent:uuid? shipped:date? level:integer?"

# The README's commands, line by line, but for the folder.
readme() {
    echo "== the README's way ($(date +%T))"
    since=$(date +%s)
    sed -n '/^## A service of your own/,/^```$/p' README.md | sed -n '/^```sh$/,/^```$/p' | sed '/^```/d; s/ *#.*//' \
        > "$work/commands"
    grep -q 'make run' "$work/commands"
    while read -r line; do
        case $line in
            "make service "*)
                line=$(echo "$line" | sed "s|\.\./parcels|$service.new|")
                rm -rf "$service.new"
                eval "$line" > "$log" 2>&1 || { cat "$log" >&2; exit 1; }
                replace "$service.new" "$service"
                rm -rf "$service.new"
                ;;
            "cd ../parcels") ;;
            "make run") starts ;;
            *) run sh -c "$line" ;;
        esac
    done < "$work/commands"
    echo "   all of it in $(($(date +%s) - since)) s"
}

# `make run` prints where it listens, and answers.
starts() {
    (cd "$service" && PORT=18615 exec setsid make run) > "$log" 2>&1 &
    group=$!
    trap 'kill -- -$group 2>/dev/null || true' EXIT
    tries=0
    until grep -q "listens on" "$log"; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || { cat "$log" >&2; exit 1; }
        sleep 0.2
    done
    "${PYTHON:-python3}" -c "import urllib.request as r
assert r.urlopen('http://127.0.0.1:18615/api/v1/utils/health-check/').read() == b'true'"
    kill -- -$group
    wait $group 2> /dev/null || true
    trap - EXIT
    rm -f "$service"/*.db*
}

# A change of a library reaches the service: by its tag, or where none is named, by `cargo update`.
updates() {
    echo "== an update of the libraries ($(date +%T))"
    sed -i 's/"Field required"/"Field is required"/' "$libraries"/crates/libs/fastapi-compat/src/*.rs
    release v0.1.1
    run make libraries TO=v0.1.1
    grep -q 'tag = "v0.1.1"' "$service/Cargo.toml"
    run make build
    # shellcheck disable=SC2016
    run target/debug/testbed postgres -- "${PYTHON:-python3}" -c 'import os, urllib.request as r
from urllib.error import HTTPError
try:
    url = os.environ["CANDIDATE_URL"] + "/api/v1/users/signup"
    r.urlopen(r.Request(url, data=b"{}", headers={"Content-Type": "application/json"}))
except HTTPError as error:
    answer = error.read().decode()
assert "Field is required" in answer, answer'
    run make libraries FROM="git=file://$libraries"
    echo >> "$libraries/LICENSE"
    release v0.1.2
    run cargo update
    commit=$(git -C "$libraries" rev-parse v0.1.2)
    grep -q "$commit" "$service/Cargo.lock" || { echo "service-check: cargo update changes nothing" >&2; exit 1; }
}

combination() {
    case $1 in
        1)
            readme
            third_party library list_books,add_book,show_book,show_author show_author \
                'Ok(Json(None))' show_author_books__book_id__authors__number__get
            third_party shop put_article,put_picture,vote,move,add_up,anything,unsaid,page,plain page \
                'Ok(Html("<p>Shop</p>".to_owned()))' shop-page
            third_party clinic "$(everything clinic)" text 'Ok("é".to_owned())' text_wards_text_get
            run make lint
            ;;
        2)
            service parcel-service items,strangler
            resource orders "$every_type"
            resource order_lines "text:text amount:decimal(5,0) gift:boolean?"
            resource categories "name:string(2..80) position:integer(1..)"
            resource taxes "code:string code_of_other:string?"
            run make lint test
            ;;
        3)
            service ledger python-legacy,strangler
            rm -rf "$service/target/venv" # it brings what it needs itself
            resource accounts "name:string balance:decimal(20,4)"
            run make lint test
            ;;
        4)
            service minimal items,python-legacy,strangler,sqlite
            resource orders "$every_type"
            run make lint test
            updates
            ;;
    esac
}

for number in ${COMBINATIONS:-1 2 3 4}; do combination "$number"; done
echo "== all of them pass their own \`make lint test\` ($(date +%T))"
