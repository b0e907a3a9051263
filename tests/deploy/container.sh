#!/usr/bin/env bash
# Builds the image's last stage around the static binary and runs it: health, totals, names by DNS, roots of
# authorities, a volume for the totals, and the command of deploy/README.md. As root; takes podman, which stands for Docker,
# runc, openssl, python3 and the port 10042. The image's first stage is a build like any other and takes a base image from
# a registry, so it is not run here.
# Usage: tests/deploy/container.sh [BINARY]
set -euo pipefail

CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
# shellcheck source=tests/deploy/outcomes.bash
. tests/deploy/outcomes.bash

folder=$(mktemp -d)
podman=(podman --root "$folder/storage" --runroot "$folder/run" --storage-driver vfs --runtime runc --cgroup-manager cgroupfs)
image=localhost/asyncos_exporter:0.1.0
running=()

cleanup() {
    local process
    for process in "${running[@]}"; do
        kill "$process" 2>/dev/null || true
    done
    wait
    "${podman[@]}" rm --force --all --volumes >/dev/null 2>&1 || true
    "${podman[@]}" image unmount --all >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap cleanup EXIT

binary=${1:-$(deploy/release/build.sh | tail -n 1)}
case $(file --brief "$binary") in
*static*) echo 'ok: the binary is static' ;;
*) fail "$binary is not static" ;;
esac

# The stage as it stands, but for where its files come from.
deploy/container/root.sh "$binary" "$folder/context/image"
sed -n '/^FROM scratch/,$p' deploy/container/Dockerfile | sed 's#--from=build \(--chown=[^ ]* \)\?/#\1#' >"$folder/Dockerfile"
"${podman[@]}" build --format docker --quiet --build-arg REVISION=0123456 --tag "$image" \
    --file "$folder/Dockerfile" "$folder/context" >/dev/null
inspect() {
    "${podman[@]}" image inspect --format "{{$1}}" "$image"
}
is 'the user' "$(inspect .Config.User)" 65532:65532
is 'the revision' "$(inspect 'index .Config.Labels "org.opencontainers.image.revision"')" 0123456
is 'the health check' "$(inspect .HealthCheck.Test)" '[CMD /asyncos_exporter healthcheck]'
mount=$("${podman[@]}" image mount "$image")
is 'all that is in it' "$(cd "$mount" && find . -type f -printf '%P ' | tr ' ' '\n' | sort | xargs)" \
    'asyncos_exporter etc/group etc/nsswitch.conf etc/passwd etc/ssl/certs/ca-certificates.crt'
is 'whose the totals are' "$(stat --format='%u:%g' "$mount/var/lib/asyncos_exporter")" 65532:65532
echo "size: $(du --apparent-size -sb "$mount" | cut -f1) bytes unpacked," \
    "$(tar -C "$mount" -cz . | wc -c) compressed, the binary $(stat --format=%s "$binary")"
"${podman[@]}" image unmount "$image" >/dev/null

# Runs a container. What differs from a machine of its own is what a sandbox lacks: a network, and the right to raise limits.
docker() {
    [[ $1 == run ]] || fail "docker $1"
    shift
    "${podman[@]}" run --network host --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 "$@"
}

# A name server that knows two names: the appliance, and the host whose certificate a public authority would vouch for.
cat >"$folder/dns.py" <<'PYTHON'
import socket, struct, sys

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.53", 53))
print("listening", flush=True)
while True:
    query, peer = server.recvfrom(512)
    name, at = [], 12
    while query[at]:
        name.append(query[at + 1 : at + 1 + query[at]].decode())
        at += 1 + query[at]
    kind = struct.unpack(">H", query[at + 1 : at + 3])[0]
    answers = 1 if ".".join(name) == "esa1.example.test" and kind == 1 else 0
    print(".".join(name), kind, flush=True)
    head = query[:2] + struct.pack(">HHHHH", 0x8180, 1, answers, 0, 0) + query[12 : at + 5]
    record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton("127.0.0.1")
    server.sendto(head + record * answers, peer)
PYTHON
python3 "$folder/dns.py" >"$folder/dns.log" 2>&1 &
running+=($!)
waits_for 'a name server' grep -q listening "$folder/dns.log"

"$binary" simulate --listen=127.0.0.1:0 >"$folder/simulated.log" 2>/dev/null &
running+=($!)
waits_for 'a simulated appliance' grep -q ' at http' "$folder/simulated.log"
at=$(sed -n 's/.* at http:\/\/[^:]*:\([0-9]*\),.*/\1/p' "$folder/simulated.log")
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=An authority' -keyout "$folder/authority.pem" \
    -out "$folder/roots.pem" 2>/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=esa1.example.test -CA "$folder/roots.pem" \
    -CAkey "$folder/authority.pem" -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:esa1.example.test \
    -keyout "$folder/key.pem" -out "$folder/certificate.pem" 2>/dev/null
cat >"$folder/tls.py" <<'PYTHON'
import http.server, ssl, sys

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
python3 "$folder/tls.py" "$folder/certificate.pem" "$folder/key.pem" >"$folder/tls.port" 2>"$folder/tls.log" &
running+=($!)
waits_for 'a server with a certificate' test -s "$folder/tls.port"

mkdir "$folder/config"
echo ironport >"$folder/config/password"
cat >"$folder/config/config.yaml" <<CONFIG
defaults: {window: 1m, settle: 1s, start: 10m}
counter_groups: minimal
appliances:
  - {name: esa1, url: 'http://esa1.example.test:$at', username: monitor, password_file: /etc/asyncos_exporter/password}
  - {name: tls, url: 'https://esa1.example.test:$(cat "$folder/tls.port")', username: monitor, password_file: /etc/asyncos_exporter/password}
CONFIG
chmod 440 "$folder/config/password"
chgrp 65532 "$folder/config/password"

# Runs the exporter on a port, with more arguments for the container.
serve() {
    local port=$1
    shift
    mkdir "$folder/state-$port"
    chown 65532:65532 "$folder/state-$port"
    docker run --detach --name "at-$port" --dns 127.0.0.53 --volume "$folder/config:/etc/asyncos_exporter:ro" \
        --volume "$folder/state-$port:/var/lib/asyncos_exporter" "$@" "$image" serve \
        --config.file=/etc/asyncos_exporter/config.yaml --storage.path=/var/lib/asyncos_exporter \
        --web.listen-address="127.0.0.1:$port" >/dev/null
    waits_for "the health check at $port" "${podman[@]}" exec "at-$port" /asyncos_exporter healthcheck \
        --url="http://127.0.0.1:$port/-/healthy"
}

# Whether a line of the page at a port begins with $2 and has a value above zero.
has() {
    page "$1" | awk -v start="$2" 'index($0, start) == 1 && $NF > 0 {found = 1} END {exit !found}'
}

failed='asyncos_api_request_failures_total{appliance="tls",reason='
serve 10045
waits_for 'totals of an appliance found by DNS' has 10045 asyncos_mail_incoming_traffic_summary_total_recipients_total
grep -q '^esa1.example.test 1$' "$folder/dns.log" || fail 'the name server was not asked'
[[ -s $folder/state-10045/state.redb ]] || fail 'no totals on the volume'
waits_for 'an unknown authority is refused' has 10045 "$failed\"tls"
if "${podman[@]}" logs at-10045 2>&1 | grep -q 'this machine has no root certificates'; then
    fail 'the public roots were not found'
fi
serve 10043 --volume "$folder/roots.pem:/etc/ssl/certs/ca-certificates.crt:ro"
waits_for 'an authority of the bundle is believed' has 10043 "$failed\"unavailable"
if has 10043 "$failed\"tls"; then
    fail 'the bundle was not read'
fi
code=0
docker run --rm "$image" serve --config.file=/nowhere >/dev/null 2>&1 || code=$?
is 'the end without a configuration' "$code" 78

# As the manual has it.
told=$(sed -n '/^docker run /,/^```/p' deploy/README.md | sed '$d')
mkdir -p "$folder/told/credentials"
(umask 077 && echo ironport >"$folder/told/credentials/esa1")
chown -R 65532:65532 "$folder/told/credentials"
cat >"$folder/told/config.yaml" <<CONFIG
defaults: {window: 1m, settle: 1s, start: 10m}
counter_groups: minimal
appliances:
  - {name: esa1, url: 'http://127.0.0.1:$at', username: monitor, credential: esa1}
CONFIG
(cd "$folder/told" && eval "$told") >"$folder/told.log" 2>&1 || fail "$(cat "$folder/told.log")"
waits_for 'totals of what was started as told' has 10042 asyncos_mail_incoming_traffic_summary_total_recipients_total
is 'its root' "$("${podman[@]}" inspect --format '{{.HostConfig.ReadonlyRootfs}}' asyncos_exporter)" true
is 'its capabilities' "$("${podman[@]}" inspect --format '{{.EffectiveCaps}}' asyncos_exporter)" '[]'
is 'its health' "$("${podman[@]}" exec asyncos_exporter /asyncos_exporter healthcheck)" healthy
volume=$("${podman[@]}" volume inspect --format '{{.Mountpoint}}' asyncos_totals)
[[ -s $volume/state.redb ]] || fail 'no totals on its volume'
"${podman[@]}" stop asyncos_exporter >/dev/null
is 'its end' "$("${podman[@]}" inspect --format '{{.State.ExitCode}}' asyncos_exporter)" 0
