#!/bin/sh
# Builds the binary of the image and of the archive: it needs no library of the system, names the crates it is made of for
# `cargo audit bin`, and the same compiler makes the same bytes of it wherever it runs.
# Takes cargo-auditable: cargo install cargo-auditable --locked
# Usage: deploy/release/build.sh [TARGET]
set -eu

CDPATH='' cd -- "$(dirname -- "$0")/../.."

if ! command -v cargo-auditable >/dev/null; then
    echo 'cargo-auditable is missing: cargo install cargo-auditable --locked' >&2
    exit 1
fi

target=${1:-$(rustc -vV | sed -n 's/^host: //p')}
cargo_home=${CARGO_HOME:-$HOME/.cargo}
# No path of this machine in the bytes, neither of Rust's code nor of C's.
RUSTFLAGS="-C target-feature=+crt-static --remap-path-prefix=$PWD=/source --remap-path-prefix=$cargo_home=/cargo"
CFLAGS="-ffile-prefix-map=$PWD=/source -ffile-prefix-map=$cargo_home=/cargo"
export RUSTFLAGS CFLAGS

cargo auditable build --release --locked --target "$target"
echo "${CARGO_TARGET_DIR:-target}/$target/release/asyncos_exporter"
