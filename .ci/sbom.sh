#!/bin/sh
# Everything that the Rust service is made of, as CycloneDX.
set -eu
if ! target/tools/bin/cargo-cyclonedx --version >/dev/null 2>&1; then
    cargo install --quiet --locked --root target/tools --version 0.5.9 cargo-cyclonedx
fi
PATH="$PWD/target/tools/bin:$PATH"
cargo cyclonedx --quiet --format json --manifest-path crates/api/Cargo.toml \
    --override-filename molt-sbom
mv crates/api/molt-sbom.json target/sbom.json
# It writes one for each crate of the workspace.
find crates -name molt-sbom.json -delete
echo "$(grep -c '"bom-ref"' target/sbom.json) components in target/sbom.json"
