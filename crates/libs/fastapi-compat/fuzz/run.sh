#!/bin/sh
# Runs every fuzz target for so many seconds, or those that are named: run.sh 1800 json email.
# New inputs go to `found/`, what is worth keeping of them to `corpus/` with `KEEP=1`.
set -eu
cd "$(dirname "$0")"
seconds=${1:?"how many seconds for each target?"}
shift
targets=${*:-$(ls fuzz_targets | sed 's/[.]rs$//')}
# What cargo-fuzz sets, without a sanitizer for memory: the code has no unsafe. Stable Rust will do.
flags="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
RUSTFLAGS=$(echo $flags) cargo build --quiet --release --target "$(rustc -vV | sed -n 's/host: //p')"
for target in $targets; do
    echo "fuzz: $target, $seconds seconds" >&2
    mkdir -p "found/$target" "corpus/$target" "artifacts/$target"
    target/*/release/"$target" "found/$target" "corpus/$target" \
        -max_total_time="$seconds" -timeout=60 -rss_limit_mb=1024 -max_len=8192 \
        -artifact_prefix="artifacts/$target/" -print_final_stats=1 2>&1 |
        sed -n '/panicked/,$p; /ERROR/,$p; /Done/p; /stat::average/p; /stat::peak/p'
    if [ -n "$(ls "artifacts/$target")" ]; then
        echo "fuzz: $target failed, see $(pwd)/artifacts/$target" >&2
        exit 1
    fi
    if [ -n "${KEEP:-}" ]; then
        target/*/release/"$target" -merge=1 -max_len=512 "corpus/$target" "found/$target" 2>/dev/null
    fi
done
