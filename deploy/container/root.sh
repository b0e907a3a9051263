#!/bin/sh
# Lays out all that the image holds: below root/ the binary, the roots of public authorities and a user, below state/ the
# directory for the totals, which belongs to that user. Usage: deploy/container/root.sh BINARY DIRECTORY
set -eu

binary=$1 root=$2/root
mkdir -p "$root/etc/ssl/certs" "$root/etc/asyncos_exporter" "$2/state/asyncos_exporter"
install -m 755 "$binary" "$root/asyncos_exporter"
install -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
echo 'nonroot:x:65532:65532:nonroot:/:/nonexistent' > "$root/etc/passwd"
echo 'nonroot:x:65532:' > "$root/etc/group"
# Hosts before DNS, as everywhere; nothing that would have to be loaded.
echo 'hosts: files dns' > "$root/etc/nsswitch.conf"
