#!/usr/bin/env bash
# Writes what the binary is made of, as CycloneDX: deploy/release/sbom.sh FILE
# Takes cargo-cyclonedx: cargo install cargo-cyclonedx --locked
set -euo pipefail

file=$(realpath -- "$1")
CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."

target=$(rustc -vV | sed -n 's/^host: //p')
# It writes beside Cargo.toml.
made=asyncos_exporter.sbom.json
trap 'rm -f "$made"' EXIT
cargo cyclonedx --quiet --format json --spec-version 1.5 --target "$target" --no-build-deps \
    --override-filename "${made%.json}"
mv "$made" "$file"
