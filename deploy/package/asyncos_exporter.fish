# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_asyncos_exporter_global_optspecs
    string join \n config.file= config.check config.enable-auto-reload config.auto-reload-interval= storage.path= login.reset web.listen-address= web.systemd-socket web.telemetry-path= web.external-url= web.route-prefix= web.disable-exporter-metrics web.max-requests= web.config.file= web.enable-lifecycle log.level= log.format= h/help V/version
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
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l config.auto-reload-interval -d 'Interval between checks for changes, at least 1s' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l storage.path -d 'Directory for the totals, so that they survive a restart; without it they are kept in memory' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l web.listen-address -d 'Address to listen on, or unix:PATH for a socket; port 0 selects a free port; may be repeated' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l web.telemetry-path -d 'Path of the metrics' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l web.external-url -d 'URL under which people reach the pages, for example behind a reverse proxy; its path is the default of --web.route-prefix' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l web.route-prefix -d 'Prefix of all paths, /metrics included [default: path of --web.external-url]' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l web.max-requests -d 'Maximum number of concurrent scrapes, 0 for no limit' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l web.config.file -d 'File with TLS settings and users for the web server, in the format of the Prometheus exporter toolkit' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l log.level -d 'Only log messages of this severity or above' -r -f -a "error\t'Bugs and fatal errors only'
warn\t'Failures and degraded operation'
info\t'Start, shutdown and recovery'
debug\t'Every request'
trace\t'Everything, libraries included'"
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l log.format -d 'Format of log lines' -r -f -a "logfmt\t'key=value pairs'
json\t'One JSON object'"
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l config.check -d 'Check the configuration and exit, like the command `check`'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l config.enable-auto-reload -d 'Reload the configuration when its file or a certificate file changes'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l login.reset -d 'Reset the recorded login failures; for a single start, not for a unit that restarts automatically'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l web.systemd-socket -d 'Listen on the sockets passed by systemd instead of --web.listen-address'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l web.disable-exporter-metrics -d 'Leave out the metrics process_* and asyncos_exporter_http_connections'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -l web.enable-lifecycle -d 'Allow POST to /-/reload, /-/login-reset and /-/quit'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -s V -l version -d 'Print version'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -f -a "serve" -d 'Poll the configured appliances and serve their metrics (the default)'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -f -a "check" -d 'Check the configuration and print every problem with its line; with --connect, contact the appliances too'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -f -a "discover" -d 'Query one appliance and generate a configuration for it'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -f -a "backfill" -d 'Request the past of the configured appliances and write it as samples for Prometheus'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -f -a "healthcheck" -d 'Check whether a running exporter is healthy, for use as a container health check'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -f -a "demo" -d 'Run a simulated fleet together with the exporter; needs no configuration'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -f -a "simulate" -d 'Run one simulated appliance'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -f -a "record" -d 'Record one round of requests to an appliance, without names, addresses and secrets, for a bug report'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -f -a "dashboards" -d 'Print the bundled Grafana dashboards'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -f -a "rules" -d 'Print the bundled Prometheus rules'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l config.file -d 'The configuration file' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l config.auto-reload-interval -d 'Interval between checks for changes, at least 1s' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l storage.path -d 'Directory for the totals, so that they survive a restart; without it they are kept in memory' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l web.listen-address -d 'Address to listen on, or unix:PATH for a socket; port 0 selects a free port; may be repeated' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l web.telemetry-path -d 'Path of the metrics' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l web.external-url -d 'URL under which people reach the pages, for example behind a reverse proxy; its path is the default of --web.route-prefix' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l web.route-prefix -d 'Prefix of all paths, /metrics included [default: path of --web.external-url]' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l web.max-requests -d 'Maximum number of concurrent scrapes, 0 for no limit' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l web.config.file -d 'File with TLS settings and users for the web server, in the format of the Prometheus exporter toolkit' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l log.level -d 'Only log messages of this severity or above' -r -f -a "error\t'Bugs and fatal errors only'
warn\t'Failures and degraded operation'
info\t'Start, shutdown and recovery'
debug\t'Every request'
trace\t'Everything, libraries included'"
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l log.format -d 'Format of log lines' -r -f -a "logfmt\t'key=value pairs'
json\t'One JSON object'"
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l config.check -d 'Check the configuration and exit, like the command `check`'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l config.enable-auto-reload -d 'Reload the configuration when its file or a certificate file changes'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l login.reset -d 'Reset the recorded login failures; for a single start, not for a unit that restarts automatically'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l web.systemd-socket -d 'Listen on the sockets passed by systemd instead of --web.listen-address'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l web.disable-exporter-metrics -d 'Leave out the metrics process_* and asyncos_exporter_http_connections'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -l web.enable-lifecycle -d 'Allow POST to /-/reload, /-/login-reset and /-/quit'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand check" -l config.file -d 'The configuration file' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand check" -l web.config.file -d 'File with TLS settings and users for the web server, checked as well' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand check" -l storage.path -d 'Directory of the exporter\'s totals, to respect and record refused logins; stop the exporter first' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand check" -l format -d 'Format of the result' -r -f -a "text\t'A table'
json\t'One JSON object with all details'"
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand check" -l connect -d 'Contact every appliance: test connection, login, clock and access to everything that is configured'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand discover" -l url -d 'URL of its API: scheme, host and port' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand discover" -l username -d 'User name of the account to log in with' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand discover" -l password-file -d 'File with the password' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand discover" -l password-env -d 'Environment variable with the password' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand discover" -l ca-file -d 'PEM file with the certificate of the issuer, or of the appliance itself' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand discover" -l fingerprint-sha256 -d 'SHA-256 fingerprint of the appliance\'s certificate' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand discover" -l auth -d 'Authentication method of requests' -r -f -a "jwt\t'Log in once and use a token'
basic\t'Send the password with every request'"
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand discover" -l write -d 'Write the configuration to this file instead of standard output; the file must not exist' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand discover" -l log.level -d 'Only log messages of this severity or above' -r -f -a "error\t'Bugs and fatal errors only'
warn\t'Failures and degraded operation'
info\t'Start, shutdown and recovery'
debug\t'Every request'
trace\t'Everything, libraries included'"
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand discover" -l log.format -d 'Format of log lines' -r -f -a "logfmt\t'key=value pairs'
json\t'One JSON object'"
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand discover" -l insecure-skip-verify -d 'Accept any certificate: an attacker on the network can read the password'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand discover" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand backfill" -l config.file -d 'The configuration file' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand backfill" -l storage.path -d 'Directory of the exporter\'s totals: the backfill ends where they begin. Stop the exporter until the plan is printed' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand backfill" -l from -d 'Start: an age such as 30d, a day such as 2026-10-31, or a time such as 2026-10-31T06:00:00Z' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand backfill" -l to -d 'End, in the same forms [default: start of the exporter\'s totals, or the last complete hour]' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand backfill" -l appliance -d 'Only this appliance; may be repeated' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand backfill" -l group -d 'Only this counter group; may be repeated' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand backfill" -l output -d 'Directory for the samples and for what was already fetched; run the same command again to continue' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand backfill" -l label -d 'Label that Prometheus adds to the series of the exporter, such as job=asyncos; may be repeated' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand backfill" -l recent-windows -d 'For this newest part of the range, at most 26h, use the windows of the configuration instead of hours, if the appliance accepts them' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand backfill" -l step -d 'Repeat each value at this interval until the next window ends, for graphs of short ranges; files grow accordingly' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand backfill" -l requests-per-minute -d 'Requests per minute to each appliance [default: `requests_per_minute` of the configuration]' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand backfill" -l remote-write -d 'Also send the samples to this URL of a remote write receiver, which must accept old samples' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand backfill" -l remote-write.username -d 'User name at the receiver' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand backfill" -l remote-write.password-file -d 'File with the password of that user' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand backfill" -l remote-write.bearer-token-file -d 'File with a bearer token for the receiver' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand backfill" -l dry-run -d 'Print the number of requests and the time that they take, and contact no appliance'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand backfill" -s h -l help -d 'Print help'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand healthcheck" -l url -d 'URL to check; certificates are not verified' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand healthcheck" -l timeout -d 'Maximum time to wait for the response' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand healthcheck" -s h -l help -d 'Print help'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand demo" -l web.listen-address -d 'Address to listen on, or unix:PATH for a socket; port 0 selects a free port; may be repeated' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand demo" -l web.telemetry-path -d 'Path of the metrics' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand demo" -l web.external-url -d 'URL under which people reach the pages, for example behind a reverse proxy; its path is the default of --web.route-prefix' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand demo" -l web.route-prefix -d 'Prefix of all paths, /metrics included [default: path of --web.external-url]' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand demo" -l web.max-requests -d 'Maximum number of concurrent scrapes, 0 for no limit' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand demo" -l log.level -d 'Only log messages of this severity or above' -r -f -a "error\t'Bugs and fatal errors only'
warn\t'Failures and degraded operation'
info\t'Start, shutdown and recovery'
debug\t'Every request'
trace\t'Everything, libraries included'"
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand demo" -l log.format -d 'Format of log lines' -r -f -a "logfmt\t'key=value pairs'
json\t'One JSON object'"
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand demo" -l troubles -d 'Add appliances with faults that the dashboards and alerts show'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand demo" -l web.systemd-socket -d 'Listen on the sockets passed by systemd instead of --web.listen-address'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand demo" -l web.disable-exporter-metrics -d 'Leave out the metrics process_* and asyncos_exporter_http_connections'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand simulate" -l listen -d 'Address to listen on; port 0 selects a free port' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand simulate" -l replay -d 'Answer from this bundle, which `record` has written; only --listen, --latency and --http11 apply then' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand simulate" -l product -d 'Product to simulate' -r -f -a "esa\t'Secure Email Gateway'
sma\t'Secure Email and Web Manager'"
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand simulate" -l name -d 'Host name of the appliance; it determines the simulated traffic' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand simulate" -l device-group -d 'Device group of an SMA and its devices, as NAME=DEVICE,DEVICE; may be repeated' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand simulate" -l token-life -d 'Lifetime of a token' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand simulate" -l lag -d 'Age of its newest data' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand simulate" -l latency -d 'Delay before each response' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand simulate" -l total-count -d 'Meaning of totalCount in message tracking and quarantines; by default the page and all matches, respectively' -r -f -a "page\t'Rows of the page'
matches\t'All matches'"
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand simulate" -l log.level -d 'Only log messages of this severity or above' -r -f -a "error\t'Bugs and fatal errors only'
warn\t'Failures and degraded operation'
info\t'Start, shutdown and recovery'
debug\t'Every request'
trace\t'Everything, libraries included'"
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand simulate" -l log.format -d 'Format of log lines' -r -f -a "logfmt\t'key=value pairs'
json\t'One JSON object'"
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand simulate" -l hour-only -d 'Support whole hours only, as some releases do'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand simulate" -l http11 -d 'Respond with HTTP/1.1 instead of 1.0'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand simulate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand record" -l config.file -d 'The configuration file' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand record" -l appliance -d 'Name of the appliance in the configuration' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand record" -l output -d 'File to write the bundle to; the file must not exist' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand record" -l review -d 'Print the bundle and ask before it is written; without a terminal it is printed and not written'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand record" -s h -l help -d 'Print help'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand dashboards" -l write -d 'Write all dashboards to this directory instead of printing one' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand dashboards" -l runbook-url -d 'URL of the runbook, for links from the firing alerts to its sections' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand dashboards" -s h -l help -d 'Print help'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand rules" -l write -d 'Write the rules, the PrometheusRule for the Prometheus operator and the runbook to this directory instead of printing' -r -F
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand rules" -l job -d 'Name of the exporter\'s scrape job' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand rules" -l grafana-url -d 'URL of Grafana, for links from alerts to dashboards' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand rules" -l runbook-url -d 'URL of the runbook, for links from alerts to its sections' -r
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand rules" -s h -l help -d 'Print help'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check discover backfill healthcheck demo simulate record dashboards rules help" -f -a "serve" -d 'Poll the configured appliances and serve their metrics (the default)'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check discover backfill healthcheck demo simulate record dashboards rules help" -f -a "check" -d 'Check the configuration and print every problem with its line; with --connect, contact the appliances too'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check discover backfill healthcheck demo simulate record dashboards rules help" -f -a "discover" -d 'Query one appliance and generate a configuration for it'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check discover backfill healthcheck demo simulate record dashboards rules help" -f -a "backfill" -d 'Request the past of the configured appliances and write it as samples for Prometheus'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check discover backfill healthcheck demo simulate record dashboards rules help" -f -a "healthcheck" -d 'Check whether a running exporter is healthy, for use as a container health check'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check discover backfill healthcheck demo simulate record dashboards rules help" -f -a "demo" -d 'Run a simulated fleet together with the exporter; needs no configuration'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check discover backfill healthcheck demo simulate record dashboards rules help" -f -a "simulate" -d 'Run one simulated appliance'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check discover backfill healthcheck demo simulate record dashboards rules help" -f -a "record" -d 'Record one round of requests to an appliance, without names, addresses and secrets, for a bug report'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check discover backfill healthcheck demo simulate record dashboards rules help" -f -a "dashboards" -d 'Print the bundled Grafana dashboards'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check discover backfill healthcheck demo simulate record dashboards rules help" -f -a "rules" -d 'Print the bundled Prometheus rules'
complete -c asyncos_exporter -n "__fish_asyncos_exporter_using_subcommand help; and not __fish_seen_subcommand_from serve check discover backfill healthcheck demo simulate record dashboards rules help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
