# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_asyncos_exporter_global_optspecs
    string join \n config.file= config.check config.enable-auto-reload config.auto-reload-interval= storage.path= login.reset web.listen-address= web.systemd-socket web.telemetry-path= web.max-requests= web.config.file= web.enable-lifecycle log.level= log.format= h/help V/version
end

function __fish_asyncos_exporter_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_asyncos_exporter_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_asyncos_exporter_using_subcommand
    set -l cmd (__fish_asyncos_exporter_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l config.file -d 'The configuration file' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l config.auto-reload-interval -d 'How often to look for changes then, at least 1s' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l storage.path -d 'Directory for the totals, so that they outlive a restart; without it they are in memory' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l web.listen-address -d 'Address to listen on, or unix: and the path of a socket; port 0 picks a free one; may be repeated' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l web.telemetry-path -d 'Path of the metrics' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l web.max-requests -d 'Scrapes served at once, 0 for any number' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l web.config.file -d 'File with TLS and users for the web side, in the format of Prometheus\' exporters' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l log.level -d 'Least severity that is logged' -r -f -a "error\t'Only our own bugs and what stops us'
warn\t'What went bad'
info\t'Start, end and recovery'
debug\t'Every request'
trace\t'Everything, libraries included'"
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l log.format -d 'Form of a line' -r -f -a "logfmt\t'key=value pairs'
json\t'One JSON object'"
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l config.check -d 'Only check the configuration, like the command `check`'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l config.enable-auto-reload -d 'Read the configuration again when its file, or a certificate it names, has changed'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l login.reset -d 'Forget that logins were refused before; for one start, not for a unit that restarts by itself'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l web.systemd-socket -d 'Listen on the sockets that systemd has opened, in place of --web.listen-address'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l web.enable-lifecycle -d 'Allow POST to /-/reload, /-/login-reset and /-/quit'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -s V -l version -d 'Print version'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -f -a "serve" -d 'Poll the appliances of the configuration and serve their metrics (the default)'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -f -a "check" -d 'Print every problem of the configuration with its line; opens no socket'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -f -a "discover" -d 'Ask one appliance what it offers and write a configuration for it'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -f -a "healthcheck" -d 'Ask a running exporter whether it is healthy, as a container\'s health check'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -f -a "demo" -d 'Run a simulated fleet and the exporter on it; needs no configuration'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -f -a "simulate" -d 'Run one simulated appliance'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -f -a "dashboards" -d 'Print the bundled dashboards for Grafana'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -f -a "rules" -d 'Print the bundled rules for Prometheus'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l config.file -d 'The configuration file' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l config.auto-reload-interval -d 'How often to look for changes then, at least 1s' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l storage.path -d 'Directory for the totals, so that they outlive a restart; without it they are in memory' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l web.listen-address -d 'Address to listen on, or unix: and the path of a socket; port 0 picks a free one; may be repeated' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l web.telemetry-path -d 'Path of the metrics' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l web.max-requests -d 'Scrapes served at once, 0 for any number' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l web.config.file -d 'File with TLS and users for the web side, in the format of Prometheus\' exporters' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l log.level -d 'Least severity that is logged' -r -f -a "error\t'Only our own bugs and what stops us'
warn\t'What went bad'
info\t'Start, end and recovery'
debug\t'Every request'
trace\t'Everything, libraries included'"
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l log.format -d 'Form of a line' -r -f -a "logfmt\t'key=value pairs'
json\t'One JSON object'"
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l config.check -d 'Only check the configuration, like the command `check`'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l config.enable-auto-reload -d 'Read the configuration again when its file, or a certificate it names, has changed'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l login.reset -d 'Forget that logins were refused before; for one start, not for a unit that restarts by itself'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l web.systemd-socket -d 'Listen on the sockets that systemd has opened, in place of --web.listen-address'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l web.enable-lifecycle -d 'Allow POST to /-/reload, /-/login-reset and /-/quit'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand check" -l config.file -d 'The configuration file' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand check" -l web.config.file -d 'File with TLS and users for the web side, to be checked too' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand check" -s h -l help -d 'Print help'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand discover" -l url -d 'Where its API is: scheme, host and port' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand discover" -l username -d 'The account to ask as' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand discover" -l password-file -d 'File with the password' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand discover" -l password-env -d 'Environment variable with the password' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand discover" -l ca-file -d 'Certificates in PEM form: of the issuer, or the appliance\'s own' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand discover" -l fingerprint-sha256 -d 'SHA-256 of the appliance\'s certificate' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand discover" -l auth -d 'How requests are authorised' -r -f -a "jwt\t'A login for a token'
basic\t'The password with every request'"
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand discover" -l write -d 'Write the configuration to this file, which must not exist, in place of standard output' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand discover" -l log.level -d 'Least severity that is logged' -r -f -a "error\t'Only our own bugs and what stops us'
warn\t'What went bad'
info\t'Start, end and recovery'
debug\t'Every request'
trace\t'Everything, libraries included'"
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand discover" -l log.format -d 'Form of a line' -r -f -a "logfmt\t'key=value pairs'
json\t'One JSON object'"
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand discover" -l insecure-skip-verify -d 'Accept any certificate: whoever sits between can read the password'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand discover" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand healthcheck" -l url -d 'Where to ask; certificates are not verified' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand healthcheck" -l timeout -d 'How long to wait for the answer' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand healthcheck" -s h -l help -d 'Print help'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand demo" -l web.listen-address -d 'Address to listen on, or unix: and the path of a socket; port 0 picks a free one; may be repeated' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand demo" -l web.telemetry-path -d 'Path of the metrics' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand demo" -l web.max-requests -d 'Scrapes served at once, 0 for any number' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand demo" -l log.level -d 'Least severity that is logged' -r -f -a "error\t'Only our own bugs and what stops us'
warn\t'What went bad'
info\t'Start, end and recovery'
debug\t'Every request'
trace\t'Everything, libraries included'"
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand demo" -l log.format -d 'Form of a line' -r -f -a "logfmt\t'key=value pairs'
json\t'One JSON object'"
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand demo" -l web.systemd-socket -d 'Listen on the sockets that systemd has opened, in place of --web.listen-address'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand simulate" -l listen -d 'Address to listen on; port 0 picks a free one' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand simulate" -l product -d 'What the appliance is' -r -f -a "esa\t'Secure Email Gateway'
sma\t'Secure Email and Web Manager'"
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand simulate" -l name -d 'Its host name, which its traffic depends on' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand simulate" -l device-group -d 'Device group of a manager and its devices, as NAME=DEVICE,DEVICE; may be repeated' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand simulate" -l token-life -d 'Life of a token' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand simulate" -l lag -d 'How much younger than now its newest data are' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand simulate" -l latency -d 'How long it takes to answer' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand simulate" -l total-count -d 'What totalCount of message tracking and of quarantines counts; without it the page and all matches, respectively' -r -f -a "page\t'The rows of the page'
matches\t'Everything that matches'"
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand simulate" -l log.level -d 'Least severity that is logged' -r -f -a "error\t'Only our own bugs and what stops us'
warn\t'What went bad'
info\t'Start, end and recovery'
debug\t'Every request'
trace\t'Everything, libraries included'"
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand simulate" -l log.format -d 'Form of a line' -r -f -a "logfmt\t'key=value pairs'
json\t'One JSON object'"
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand simulate" -l hour-only -d 'Answer whole hours only, as some releases do'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand simulate" -l http11 -d 'Answer with HTTP/1.1 in place of 1.0'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand simulate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand dashboards" -l write -d 'Write all of them into this directory, in place of printing' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand dashboards" -s h -l help -d 'Print help'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand rules" -l write -d 'Write the rules, the same for the Prometheus operator, and the runbook into this directory, in place of printing' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand rules" -l job -d 'Name of the exporter\'s scrape job' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand rules" -l grafana-url -d 'Address of Grafana, for links from alerts to boards' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand rules" -l runbook-url -d 'Address of the runbook, for links from alerts to its parts' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand rules" -s h -l help -d 'Print help'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check discover healthcheck demo simulate dashboards rules help" -f -a "serve" -d 'Poll the appliances of the configuration and serve their metrics (the default)'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check discover healthcheck demo simulate dashboards rules help" -f -a "check" -d 'Print every problem of the configuration with its line; opens no socket'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check discover healthcheck demo simulate dashboards rules help" -f -a "discover" -d 'Ask one appliance what it offers and write a configuration for it'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check discover healthcheck demo simulate dashboards rules help" -f -a "healthcheck" -d 'Ask a running exporter whether it is healthy, as a container\'s health check'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check discover healthcheck demo simulate dashboards rules help" -f -a "demo" -d 'Run a simulated fleet and the exporter on it; needs no configuration'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check discover healthcheck demo simulate dashboards rules help" -f -a "simulate" -d 'Run one simulated appliance'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check discover healthcheck demo simulate dashboards rules help" -f -a "dashboards" -d 'Print the bundled dashboards for Grafana'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check discover healthcheck demo simulate dashboards rules help" -f -a "rules" -d 'Print the bundled rules for Prometheus'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check discover healthcheck demo simulate dashboards rules help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
