#!/usr/bin/env bash
# Builds what is committed in two directories, whose names differ in length, and compares the bytes. Takes as long as two
# release builds.
set -euo pipefail

CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

hashes=()
for name in one another; do
    mkdir "$folder/$name"
    git archive HEAD | tar -x -C "$folder/$name"
    binary=$(cd "$folder/$name" && env -u CARGO_TARGET_DIR deploy/release/build.sh | tail -n 1)
    hashes+=("$(sha256sum < "$folder/$name/$binary")")
    printf '%s %s\n' "${hashes[-1]%% *}" "$name"
done
[[ ${hashes[0]} == "${hashes[1]}" ]] || { echo 'the two differ' >&2; exit 1; }
