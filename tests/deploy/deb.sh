#!/usr/bin/env bash
# Builds the Debian package and lives through its life in a Debian of its own: lintian, installation, start, upgrade that keeps
# configuration and totals, purge that leaves nothing. As root; takes cargo-deb, lintian and debootstrap, and minutes.
# Usage: tests/deploy/deb.sh [--no-build]
set -euo pipefail

CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."

debian=$PWD/target/tools/debian
root=$(mktemp -d)
port=10044
running=()

cleanup() {
    local process
    for process in "${running[@]}"; do
        kill "$process" 2>/dev/null || true
    done
    umount "$root/proc" 2>/dev/null || true
    rm -rf "$root"
}
trap cleanup EXIT

fail() {
    printf 'deb.sh: %s\n' "$*" >&2
    exit 1
}

# Runs a program there. It takes the place of the shell that starts it, or the shell would get its signals.
within_exec() {
    exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"
}

within() {
    (within_exec "$@")
}

is() {
    [[ $2 == "$3" ]] || fail "$1 is '$2', not '$3'"
    printf 'ok: %s\n' "$1"
}

waits_for() {
    local what=$1 end=$((SECONDS + 90))
    shift
    while ((SECONDS < end)); do
        if "$@" >/dev/null 2>&1; then
            printf 'ok: %s\n' "$what"
            return
        fi
        sleep 0.1
    done
    cat "$root/log" >&2
    fail "in vain: $what"
}

page() {
    local connection
    exec {connection}<>"/dev/tcp/127.0.0.1/$port"
    printf 'GET /metrics HTTP/1.0\r\n\r\n' >&"$connection"
    cat <&"$connection"
    exec {connection}>&-
}

counted() {
    page | awk '/^asyncos_mail_incoming_traffic_summary_total_recipients_total/ {sum += $2} END {printf "%d", sum}'
}

has_counted() {
    (($(counted) > $1))
}

# What systemd would run, as whom, and with the credentials where it would put them.
start() {
    local command
    command=$(sed -n 's/^ExecStart=//p' "$root/usr/lib/systemd/system/asyncos_exporter.service")
    command=${command/\$ARGS/--web.listen-address=127.0.0.1:$port}
    within install -d -m 0700 -o asyncos_exporter -g asyncos_exporter /var/lib/asyncos_exporter /run/credentials
    within install -m 0400 -o asyncos_exporter /etc/asyncos_exporter/credentials/esa1 /run/credentials/password_esa1
    # shellcheck disable=SC2086 # the unit's words are words
    within_exec CREDENTIALS_DIRECTORY=/run/credentials setpriv --reuid asyncos_exporter --regid asyncos_exporter --init-groups \
        --inh-caps=-all $command >>"$root/log" 2>&1 &
    running+=($!)
}

stop() {
    kill "${running[-1]}"
    wait "${running[-1]}" || fail "it ended with $?"
    unset 'running[-1]'
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
        /etc/apt/sources.list 2>/dev/null | head -1)
    suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    debootstrap --variant=minbase --include=systemd "$suite" "$root" "$mirror" >/dev/null
    tar -C "$root" -cf "$debian.tar" .
else
    tar -C "$root" -xf "$debian.tar"
fi
# Its own user must see it.
chmod 755 "$root"
mount -t proc proc "$root/proc"
cp "$package-1.deb" "$package-2.deb" "$root/"

within dpkg --install "/${package##*/}-1.deb" >/dev/null
is 'the configuration' "$(within stat --format='%a %U:%G' /etc/asyncos_exporter/config.yaml)" '640 root:asyncos_exporter'
is 'its directory' "$(within stat --format='%a %U:%G' /etc/asyncos_exporter)" '750 root:asyncos_exporter'
is 'the credentials' "$(within stat --format='%a %U:%G' /etc/asyncos_exporter/credentials)" '700 root:root'
is 'the unit' "$(within systemctl is-enabled asyncos_exporter.service)" enabled
is 'the socket' "$(within systemctl is-enabled asyncos_exporter.socket || true)" disabled
is 'the version' "$(within asyncos_exporter --version)" "asyncos_exporter $version"
code=0
within asyncos_exporter check --config.file=/etc/asyncos_exporter/config.yaml >/dev/null 2>&1 || code=$?
is 'the end without appliances' "$code" 78

within_exec asyncos_exporter simulate --listen=127.0.0.1:0 >"$root/simulated" 2>/dev/null &
running+=($!)
waits_for 'a simulated appliance' grep -q ' at http' "$root/simulated"
url=$(sed -n 's/.* at \(http[^,]*\),.*/\1/p' "$root/simulated")
cat >"$root/etc/asyncos_exporter/config.yaml" <<CONFIG
defaults: {window: 1m, settle: 1s, start: 10m}
counter_groups: minimal
appliances:
  - {name: esa1, url: '$url', username: monitor, credential: password_esa1}
CONFIG
(umask 077 && echo ironport >"$root/etc/asyncos_exporter/credentials/esa1")
start
waits_for 'totals' has_counted 0
before=$(counted)
stop
kept=$(within cat /etc/asyncos_exporter/config.yaml)

within dpkg --install "/${package##*/}-2.deb" >/dev/null
is 'the configuration after an upgrade' "$(within cat /etc/asyncos_exporter/config.yaml)" "$kept"
is 'its mode' "$(within stat --format='%a %U:%G' /etc/asyncos_exporter/config.yaml)" '640 root:asyncos_exporter'
start
waits_for 'totals go on where they were' has_counted "$((before - 1))"
stop

within dpkg --purge asyncos-exporter >/dev/null
left=$(within find / -xdev -path /proc -prune -o -name '*asyncos*' ! -name '*.deb' -print)
is 'what a purge leaves' "$left" ''
is 'the user, whose number is not used again' "$(within id -un asyncos_exporter)" asyncos_exporter
