#!/bin/sh
# Builds the wheel of a release for the machine it runs on, into target/wheels, with the Python given.
# Where there is no Rust, as in the images for manylinux and musllinux, it is installed.
set -eu
python=${1:-python3}
cd "$(dirname "$0")/../../../.."
if ! command -v cargo >/dev/null 2>&1; then
    version=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal \
        --default-toolchain "$version"
    PATH="$HOME/.cargo/bin:$PATH"
fi
"$python" -m venv target/venv-wheel
venv=target/venv-wheel/bin
[ -d $venv ] || venv=target/venv-wheel/Scripts
$venv/python -m pip install --quiet --require-hashes -r crates/tools/contract/wheel/requirements.lock
$venv/maturin build --release --manifest-path crates/tools/contract/Cargo.toml --out target/wheels
