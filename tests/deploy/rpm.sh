#!/usr/bin/env bash
# Builds the RPM package and looks into it: paths, modes, owners, configuration, scripts. Takes cargo-generate-rpm and rpm.
# Usage: tests/deploy/rpm.sh [--no-build]
set -euo pipefail

CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
# shellcheck source=tests/deploy/outcomes.bash
. tests/deploy/outcomes.bash

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

[[ ${1:-} == --no-build ]] || cargo build --release --locked
cargo generate-rpm --output "$folder/package.rpm"
package=(rpm --query --package "$folder/package.rpm")

has() {
    grep -qxF -- "$2" <<<"$1" || fail "$2 is not in"$'\n'"$1"
    printf 'ok: %s\n' "$2"
}

files=$("${package[@]}" --queryformat '[%{FILEMODES:perms} %{FILEUSERNAME}:%{FILEGROUPNAME} %{FILENAMES}\n]')
has "$files" '-rwxr-xr-x root:root /usr/bin/asyncos_exporter'
has "$files" '-rw-r----- root:asyncos_exporter /etc/asyncos_exporter/config.yaml'
has "$files" '-rw-r--r-- root:root /usr/lib/systemd/system/asyncos_exporter.service'
has "$files" '-rw-r--r-- root:root /usr/share/asyncos_exporter/prometheus/asyncos.rules.yaml'
has "$("${package[@]}" --configfiles)" /etc/asyncos_exporter/config.yaml
has "$("${package[@]}" --configfiles)" /etc/default/asyncos_exporter
has "$("${package[@]}" --queryformat '%{LICENSE}\n')" Apache-2.0
for script in PREIN POSTIN PREUN POSTUN; do
    "${package[@]}" --queryformat "%{$script}\n" >"$folder/$script"
    [[ -s $folder/$script ]] && sh -n "$folder/$script"
    printf 'ok: %s\n' "$script"
done
