#!/usr/bin/env bash
# Builds the Debian package and lives through its life in a Debian with a systemd of its own: lintian, installation, start,
# reload, what systemd does when the exporter hangs, dies or is told nonsense, the socket, upgrade that keeps configuration
# and totals, purge that leaves nothing. As root; takes cargo-deb, lintian, debootstrap, podman and runc, the port 10042, and
# minutes.
# Usage: tests/deploy/deb.sh [--no-build]
set -euo pipefail

CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
# shellcheck source=tests/deploy/outcomes.bash
. tests/deploy/outcomes.bash

debian=$PWD/target/tools/debian-systemd
folder=$(mktemp -d)
root=$folder/root
mkdir "$root"
podman=(podman --root "$folder/storage" --runroot "$folder/run" --storage-driver vfs --runtime runc --cgroup-manager cgroupfs)
simulated=

cleanup() {
    "${podman[@]}" rm --force --all >/dev/null 2>&1 || true
    [[ -z $simulated ]] || kill "$simulated" 2>/dev/null || true
    rm -rf "$folder"
}
trap cleanup EXIT

# Runs a program there.
within() {
    "${podman[@]}" exec --interactive --env DEBIAN_FRONTEND=noninteractive --env LC_ALL=C.UTF-8 debian "$@"
}

service() {
    within systemctl show --property="$1" --value asyncos_exporter.service
}

# The sum of all samples whose line begins with $1.
sum() {
    page 10042 | awk -v start="$1" 'index($0, start) == 1 {sum += $NF} END {printf "%d", sum}'
}

counted() {
    sum asyncos_mail_incoming_traffic_summary_total_recipients_total
}

has_counted() {
    (($(counted) > $1))
}

# By the shell's own kill: the smallest Debian has no other.
signal() {
    within sh -c "kill -$1 $(service MainPID)"
}

last_reload_is() {
    (($(sum asyncos_config_last_reload_successful) == $1))
}

service_has() {
    [[ $(service "$1") == "$2" ]]
}

# What is written stays whose it is.
configure() {
    cat >"$root/etc/asyncos_exporter/config.yaml"
}

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
packages=target/debian
[[ ${1:-} == --no-build ]] || cargo build --release --locked
for package in "$version-1" "$version-2"; do
    cargo deb --locked --no-build --deb-version "$package" --output "$packages/asyncos-exporter_$package.deb" >/dev/null
done
package=$packages/asyncos-exporter_$version
lintian --fail-on error,warning "$package-1.deb"
echo "ok: lintian ($(stat --format=%s "$package-1.deb") bytes)"

if [[ ! -e $debian.tar ]]; then
    mirror=$(sed -n 's/^URIs: *//p; s/^deb \(\[.*\] \)\?\(http[^ ]*\) .*/\2/p' /etc/apt/sources.list.d/*.sources \
        /etc/apt/sources.list 2>/dev/null | head -1 || true)
    [[ -n $mirror ]] || fail 'no mirror is known here'
    suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    debootstrap --variant=minbase --include=dbus,systemd "$suite" "$root" "$mirror" >/dev/null
    mkdir -p "${debian%/*}"
    tar -C "$root" -cf "$debian.tar" .
else
    tar -C "$root" -xf "$debian.tar"
fi
# Its own users must see it.
chmod 755 "$folder" "$root"
cp "$package-1.deb" "$package-2.deb" "$root/"
"${podman[@]}" run --detach --name debian --network host --privileged --ulimit nofile=8192:8192 --ulimit nproc=4096:4096 \
    --systemd=always --rootfs "$root" /lib/systemd/systemd >/dev/null
waits_for 'a Debian that runs' within systemctl is-active --quiet multi-user.target
# The mounts of a container are private: what systemd mounts for a service would not get there.
within mount --make-rshared /

within dpkg --install "/${package##*/}-1.deb" >/dev/null
is 'the configuration' "$(within stat --format='%a %U:%G' /etc/asyncos_exporter/config.yaml)" '640 root:asyncos_exporter'
is 'its directory' "$(within stat --format='%a %U:%G' /etc/asyncos_exporter)" '750 root:asyncos_exporter'
is 'the credentials' "$(within stat --format='%a %U:%G' /etc/asyncos_exporter/credentials)" '700 root:root'
is 'the unit' "$(within systemctl is-enabled asyncos_exporter.service) $(service ActiveState)" 'enabled inactive'
is 'the socket' "$(within systemctl is-enabled asyncos_exporter.socket || true)" disabled
is 'the version' "$(within asyncos_exporter --version)" "asyncos_exporter $version"
if within systemctl start asyncos_exporter 2>/dev/null; then
    fail 'it starts without appliances'
fi
is 'the end without appliances' "$(service ExecMainStatus) $(service SubState)" '78 failed'

target/release/asyncos_exporter simulate --listen=127.0.0.1:0 >"$folder/simulated.log" 2>/dev/null &
simulated=$!
waits_for 'a simulated appliance' grep -q ' at http' "$folder/simulated.log"
url=$(sed -n 's/.* at \(http[^,]*\),.*/\1/p' "$folder/simulated.log")
good="defaults: {window: 1m, settle: 1s, start: 10m}
counter_groups: minimal
appliances:
  - {name: esa1, url: '$url', username: monitor, credential: password_esa1}"
configure <<<"$good"
# As the manual has it.
told=$(grep '^install -m 600 ' deploy/README.md)
# shellcheck disable=SC2086 # its words are words
within $told <<<ironport
within systemctl start asyncos_exporter
is 'started' "$(service ActiveState) as $(within stat --format=%U "/proc/$(service MainPID)")" 'active as asyncos_exporter'
waits_for 'totals' has_counted 0
waits_for 'a status' service_has StatusText '1 appliances, 1 up, 0 down'
within systemd-analyze security --threshold=12 asyncos_exporter.service >/dev/null
echo 'ok: exposure'

configure <<<"$good, ca_file: nowhere"
within systemctl reload asyncos_exporter
waits_for 'a wrong configuration is refused' last_reload_is 0
is 'the old one goes on' "$(service ActiveState) $(sum asyncos_up)" 'active 1'
configure <<<"$good"
within systemctl reload asyncos_exporter
waits_for 'a good configuration is taken' last_reload_is 1
before=$(counted)
signal KILL
waits_for 'who dies is started again' service_has NRestarts 1
waits_for 'totals go on after that' has_counted "$((before - 1))"
signal STOP
waits_for 'who hangs is started again' service_has NRestarts 2
waits_for 'totals go on after that' has_counted "$((before - 1))"
configure <<<nonsense
if within systemctl restart asyncos_exporter 2>/dev/null; then
    fail 'it starts with nonsense'
fi
is 'nonsense is not tried again' "$(service ExecMainStatus) $(service SubState)" '78 failed'

configure <<<"$good"
within sed -i 's/^ARGS=.*/ARGS=--web.systemd-socket/' /etc/default/asyncos_exporter
within systemctl enable --now asyncos_exporter.socket 2>/dev/null
waits_for 'a scrape starts the service of the socket' has_counted "$((before - 1))"
within systemctl restart asyncos_exporter &
restart=$!
for _ in {1..20}; do
    (($(sum asyncos_exporter_build_info) == 1)) || fail 'a scrape was lost while it was started again'
done
wait "$restart"
echo 'ok: no scrape is lost while it is started again'
within systemctl disable --now asyncos_exporter.socket 2>/dev/null
within systemctl stop asyncos_exporter
within sed -i 's/^ARGS=.*/ARGS=/' /etc/default/asyncos_exporter
within systemctl start asyncos_exporter
before=$(counted)
process=$(service MainPID)

within dpkg --install "/${package##*/}-2.deb" >/dev/null
is 'the configuration after an upgrade' "$(cat "$root/etc/asyncos_exporter/config.yaml")" "$good"
is 'its mode' "$(within stat --format='%a %U:%G' /etc/asyncos_exporter/config.yaml)" '640 root:asyncos_exporter'
waits_for 'the new version runs' service_has ActiveState active
[[ $(service MainPID) != "$process" ]] || fail 'the old version runs on'
waits_for 'totals go on where they were' has_counted "$((before - 1))"

within dpkg --purge asyncos-exporter >/dev/null
is 'what runs after a purge' "$(service MainPID)" 0
left=$(within find / -xdev -path /proc -prune -o -name '*asyncos*' ! -name '*.deb' -print)
is 'what a purge leaves' "$left" ''
is 'the user, whose number is not used again' "$(within id -un asyncos_exporter)" asyncos_exporter
