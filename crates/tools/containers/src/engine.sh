# What a run leaves on the engine has its process as a label, and is removed: by its guard, also if the
# run is killed; by the next run, if the guard was killed too.
#   guard PROCESS [FOLDER LOG dockerd…]  starts the engine; at the end of the standard input removes all
#   clear                                removes what runs have left that are over, and ends their engines

remove() { # process
    compose=com.docker.compose.project=molt-check-$1
    for label in "molt.containers=$1" "$compose"; do
        docker ps --all --quiet --filter "label=$label" | xargs -r docker rm --force --volumes
        docker network ls --quiet --filter "label=$label" | xargs -r docker network rm
    done
    docker volume ls --quiet --filter "label=$compose" | xargs -r docker volume rm
}

end_engine() { # process, folder
    kill "$1"
    tries=0
    while [ -n "$(tr -d '\0' < "/proc/$1/cmdline")" ] && [ $tries -lt 300 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    kill -KILL "$1"
    find "$2/exec/netns" -type f -exec umount {} +
    rm -rf "$2"
}

is_over() { # process
    case $(cat "/proc/$1/comm") in containers*) return 1 ;; esac
}

case $1 in
    guard)
        process=$2 folder=${3:-} log=${4:-}
        trap '' INT TERM HUP
        if [ -n "$folder" ]; then
            shift 4
            (trap - INT TERM HUP; exec "$@") >"$log" 2>&1 </dev/null &
            engine=$!
            echo $engine > "$folder/engine"
        fi
        cat >/dev/null
        remove "$process"
        [ -z "$folder" ] || end_engine "$engine" "$folder"
        ;;
    clear)
        for folder in "${TMPDIR:-/tmp}"/molt-engine-*; do
            [ -e "$folder/engine" ] && is_over "${folder##*-}" || continue
            end_engine "$(cat "$folder/engine")" "$folder"
        done
        { # Also those of an engine that was started just now: its data is that of earlier runs.
            for what in 'ps --all' 'network ls'; do
                docker $what --filter label=molt.containers --format '{{.Label "molt.containers"}}'
                docker $what --filter label=com.docker.compose.project \
                    --format '{{.Label "com.docker.compose.project"}}' | sed -n 's/^molt-check-//p'
            done
        } | sort -u | while read -r process; do
            ! is_over "$process" || remove "$process"
        done
        ;;
esac >/dev/null 2>&1
