# How the scripts of this folder look at an exporter and say what they find; to be sourced by one that has set `folder`, where
# its logs are.

fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Holds what is called $1, which is $2, against what it is to be, $3.
is() {
    [[ $2 == "$3" ]] || fail "$1 is '$2', not '$3'"
    printf 'ok: %s\n' "$1"
}

# Runs the command behind $1, what is waited for, until it succeeds.
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
    # shellcheck disable=SC2154 # whoever sources this has set it
    cat "$folder"/*.log >&2
    fail "in vain: $what"
}

# The page of metrics at port $1. In a shell of its own, which a connection that is refused ends.
page() (
    exec {connection}<>"/dev/tcp/127.0.0.1/$1"
    printf 'GET /metrics HTTP/1.0\r\n\r\n' >&"$connection"
    cat <&"$connection"
)
