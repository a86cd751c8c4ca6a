#!/bin/sh
# Makes services in several combinations, gives them resources, and runs their own `make lint test`.
# All are made in one folder, one after the other, so that what they share is compiled once. They have
# the libraries from a git repository with this work tree, where a change of a library reaches them by
# an update. COMBINATIONS="1 4" makes some of them; COMBINATIONS=short makes one service, gives it a
# resource with the newer types and all options, runs its Rust tests but for the longest, compares both
# languages, and updates its libraries.
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
git ls-files -z --cached --others --exclude-standard |
    tar --create --null --ignore-failed-read --files-from - 2>/dev/null | tar --extract --directory "$libraries"
release v0.1.0
# `make service` has it from the environment.
export LIBRARIES="git=file://$libraries#v0.1.0"

# Tools are Molt's: the service finds them where it would make them. What is compiled is not: cargo
# takes packages at the same path in two workspaces for the same one.
for tool in tools npm; do
    [ ! -e "target/$tool" ] || ln -sfn "$root/target/$tool" "$service/target/$tool"
done
[ ! -L "$service/target/venv" ] || rm "$service/target/venv"
git init --quiet "$service"
cargo build --quiet --workspace --test schemas --bin scaffold
# What comes from the registry and has the same features is the same in both: it is taken over, Molt's
# own packages are not. rustc never writes into a library that is there, so that a link will do.
if [ -d target/debug/deps ] && ! [ -d "$service/target/debug" ]; then
    mkdir -p "$service/target/debug/deps"
    for part in .fingerprint build; do cp -a "target/debug/$part" "$service/target/debug/"; done
    find target/debug/deps -name 'lib*.r*' -o -name 'lib*.so' |
        xargs ln -t "$service/target/debug/deps"
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

# Drafts of applications, from their code; `make draft` ends with the test that their documents are
# those of the applications.
applications() { # directory app, for each
    cp "$service/Cargo.toml" "$work/Cargo.toml"
    drafts=""
    while [ $# -gt 0 ]; do
        echo "== $2 of $1, from its code ($(date +%T))"
        name="$(basename "$1")-service"
        run make draft APP="$2" DIRECTORY="$root/$1" NAME="$name" \
            APP_PYTHON="$root/target/venv/bin/python" APP_ENV=TENANCY_DB_DSN=postgres://unused@127.0.0.1:1/none
        drafts="$drafts $service/crates/$name"
        shift 2
    done
}

without_applications() {
    # shellcheck disable=SC2086
    rm -r $drafts
    cp "$work/Cargo.toml" "$service/Cargo.toml"
}

samples=crates/tools/scaffold/tests/applications

everything() { # app: the ids of all its operations
    (cd "$root/crates/tools/scaffold/tests/third_party" && "$root/target/venv/bin/python" -B -W ignore -c "import $1
operations = (one for path in $1.app.openapi()['paths'].values() for one in path.values())
print(','.join(one['operationId'] for one in operations))")
}

# Two of the old service, one behind the new: the same requests to both.
compare() {
    run cargo build --quiet --workspace --test suite --bin "$app-service"
    pids=""
    trap 'kill $pids 2>/dev/null || true' EXIT
    for port in 18611 18612; do
        (cd "$third_party" && exec "$python" -B -m uvicorn --log-level warning --port $port "$app:app") >> "$log.service" 2>&1 &
        pids="$pids $!"
    done
    LEGACY_URL=http://127.0.0.1:18612 PORT=18613 MANAGEMENT_PORT=18614 STRANGLER_PASSWORD=unused \
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

# A clone of the repository: what is made there depends on it by default.
same_by_default() {
    rm -rf "$work/clone" "$work/default"
    git clone --quiet "file://$libraries" "$work/clone"
    target/debug/scaffold --root "$work/clone" service parcels --into "$work/default" > /dev/null
    diff -r --exclude .git "$work/default" "$service.new" > "$log" || {
        cat "$log" >&2
        echo "service-check: a clone makes another service than LIBRARIES=$LIBRARIES" >&2
        exit 1
    }
    rm -rf "$work/clone" "$work/default"
}

every_type="number:string(1..40) weight:integer(0..100000) total:decimal paid:boolean
    batch:uuid due:date note:string? rest:decimal(6,3)? parent:uuid? shipped:date? level:integer?"
newer_types="state:enum(open|paid|in_transit):default=open:index:filter at:datetime opens:time lasts:duration
    rate:float(0..1000) contact:email site:url data:bytes kind:enum(a|b)?:filter until:datetime? closes:time?
    pause:duration? score:float? billing:email? home:url? more:bytes?"
options="number:string(..40):unique(owner):filter serial:uuid:unique:filter mail:email?:unique
    code:string:pattern='^[A-Z:]':sample='A:B|C' copies:integer:min=1:default=1:filter
    stage:enum(draft|sent):readonly:default=draft:filter sent:datetime?:readonly key:string(1..64)?:secret
    visible:boolean:default=true:filter due:date?:filter share:float:max=1:default=0.5"

# A command with Molt's Python environment, which the service would make anew from the same locks.
same_environment() {
    for lock in requirements.lock requirements-dev.lock; do
        pins=$(sed 's/ *#.*//' "$service/python-legacy/$lock")
        [ "$pins" = "$(sed 's/ *#.*//' "python-legacy/$lock")" ]
    done
    [ -e "$service/target/venv" ] || ln -sn "$root/target/venv" "$service/target/venv"
    touch -c "$root/target/venv/.complete" # it has what the service's newer locks ask for
    "$@"
    # No other service may install into it.
    [ ! -L "$service/target/venv" ] || rm "$service/target/venv"
}

# The README's commands, line by line, but for the folder.
commands() {
    sed -n '/^## A service of your own/,/^```$/p' README.md | sed -n '/^```sh$/,/^```$/p' | sed '/^```/d; s/ *#.*//' \
        > "$work/commands"
    grep -q 'make run' "$work/commands"
}

made() { # the command of the README that makes a service
    command=$(echo "$1" | sed "s|\.\./parcels|$service.new|")
    rm -rf "$service.new"
    eval "$command" > "$log" 2>&1 || { cat "$log" >&2; exit 1; }
    same_by_default
    replace "$service.new" "$service"
    rm -rf "$service.new"
}

readme() {
    echo "== the README's way ($(date +%T))"
    since=$(date +%s)
    commands
    while read -r line; do
        case $line in
            "make service "*) made "$line" ;;
            "cd ../parcels") ;;
            "make run") starts "answer('/utils/health-check/') == b'true'" ;;
            *) run sh -c "$line" ;;
        esac
    done < "$work/commands"
    echo "   all of it in $(($(date +%s) - since)) s"
}

# `make run` prints where it listens, and answers.
starts() { # what is true of its answers
    echo "   $(date +%T) make run"
    (cd "$service" && PORT=18615 MANAGEMENT_PORT=18616 exec setsid make run) > "$log" 2>&1 &
    group=$!
    trap 'kill -- -$group 2>/dev/null || true' EXIT
    until grep -q "listens on" "$log"; do
        kill -0 $group 2> /dev/null || { tail -n 60 "$log" >&2; exit 1; }
        sleep 0.2
    done
    "${PYTHON:-python3}" -c "import urllib.error, urllib.request as r
def answer(path, body=None):
    url = 'http://127.0.0.1:18615/api/v1' + path
    try:
        return r.urlopen(r.Request(url, body, {'Content-Type': 'application/json'})).read()
    except urllib.error.HTTPError as error:
        return error.read()
assert $1, 'another answer'" || { tail -n 60 "$log" >&2; exit 1; }
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
    starts "b'Field is required' in answer('/users/signup', b'{}')"
    # What is built is of the release before, and does for this.
    run target/debug/scaffold libraries --from "git=file://$libraries"
    echo >> "$libraries/LICENSE"
    release v0.1.2
    run cargo update fastapi-compat
    commit=$(git -C "$libraries" rev-parse v0.1.2)
    others=$(grep "file://$libraries" "$service/Cargo.lock" | grep -vc "#$commit" || true)
    [ "$others" = 0 ] || { echo "service-check: cargo update leaves $others packages old" >&2; exit 1; }
}

combination() {
    case $1 in
        short)
            echo "== one service ($(date +%T))"
            commands
            made "$(grep '^make service' "$work/commands")"
            same_environment resource samples "$newer_types $options"
            applications "$samples/bookstore" main:app
            # What takes long and is the same in every service is left to Molt's own `make test`.
            same_environment run cargo test --workspace --quiet -- --skip parity::emails \
                --skip parity::one_database --skip parity::rehearsals --skip parity::tasks --skip memory:: \
                --skip overload:: --skip disconnects::
            without_applications
            same_environment run make contract REQUESTS=100
            updates
            ;;
        1)
            readme
            third_party library list_books,add_book,show_book,show_author show_author \
                'Ok(Json(None))' show_author_books__book_id__authors__number__get
            third_party shop put_article,put_picture,vote,move,add_up,anything,unsaid,page,plain page \
                'Ok(Html("<p>Shop</p>".to_owned()))' shop-page
            third_party clinic "$(everything clinic)" text 'Ok("é".to_owned())' text_wards_text_get
            applications "$samples/bookstore" main:app "$samples/surgery" main:app \
                "$samples" 'warehouse.app:create_app()' "$samples/tenancy" app.main:app \
                python-legacy app.main:app
            run cargo clippy --quiet --workspace --all-targets -- --deny warnings
            run cargo test --quiet --workspace --test document
            without_applications
            run make lint
            ;;
        2)
            service parcel-service items,strangler
            resource orders "$every_type"
            resource samples "$newer_types"
            resource choices "$options"
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
            resource samples "$newer_types"
            run make lint test
            updates
            ;;
    esac
}

for number in ${COMBINATIONS:-1 2 3 4}; do combination "$number"; done
echo "== all of it passes ($(date +%T))"
