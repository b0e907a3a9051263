#!/bin/sh
# Lays out what the image holds beside nothing else: the binary, the roots of public authorities, a user, a place for totals.
# Usage: deploy/container/root.sh BINARY DIRECTORY
set -eu

binary=$1 root=$2
mkdir -p "$root/etc/ssl/certs" "$root/etc/asyncos_exporter" "$root/var/lib/asyncos_exporter"
install -m 755 "$binary" "$root/asyncos_exporter"
install -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
echo 'nonroot:x:65532:65532:nonroot:/:/nonexistent' > "$root/etc/passwd"
echo 'nonroot:x:65532:' > "$root/etc/group"
# Hosts before DNS, as everywhere; nothing that would have to be loaded.
echo 'hosts: files dns' > "$root/etc/nsswitch.conf"
