//! All integration tests in one binary.

mod account;
mod app;
mod auto_reload;
mod backfill;
mod backfill_faults;
mod backfill_remote_write;
mod bookkeeping;
#[cfg(feature = "external-tests")]
mod browser;
mod captured_log;
mod centralized;
mod choice;
mod cli;
mod clock;
mod config;
mod connect;
mod crash;
mod day;
mod day_hours;
mod deadline;
mod demo;
#[cfg(feature = "external-tests")]
mod deploy;
mod discover;
mod exposition;
mod first_aid;
mod first_events;
mod forms;
mod gate;
mod golden;
mod honest_state;
mod keyed;
mod keyed_forms;
mod legacy;
mod listen;
mod login;
mod login_refusals;
mod login_storm;
mod manual;
#[cfg(target_os = "linux")]
mod memory;
mod mixin;
#[cfg(feature = "external-tests")]
mod oidc;
#[cfg(feature = "external-tests")]
mod openssl;
mod page;
mod pages;
mod polling;
mod program;
#[cfg(feature = "external-tests")]
mod prometheus;
#[cfg(feature = "external-tests")]
mod prometheus_backfill;
#[cfg(feature = "external-tests")]
mod prometheus_discovery;
#[cfg(feature = "external-tests")]
mod prometheus_first;
#[cfg(feature = "external-tests")]
mod prometheus_keyed;
#[cfg(feature = "external-tests")]
mod prometheus_outage;
#[cfg(feature = "external-tests")]
mod prometheus_shards;
#[cfg(feature = "external-tests")]
mod prometheus_sums;
#[cfg(feature = "external-tests")]
mod prometheus_web;
mod quiet_day;
mod readme;
#[cfg(feature = "external-tests")]
mod readme_commands;
mod readme_links;
mod recording;
mod release;
mod reload;
mod reload_storm;
mod revision;
mod rig;
mod scopes;
mod scripts;
mod second_factor;
mod secrets;
mod session;
mod sharding;
#[cfg(feature = "external-tests")]
mod snmp;
mod status_endpoints;
mod status_metrics;
mod status_page;
mod sums;
mod supervision;
mod tidy;
mod tls;
mod tls_client;
mod tls_egress;
mod tls_errors;
mod tls_proxy;
mod tls_sessions;
mod tracking;
mod tracking_pages;
mod values;
mod web;
mod web_files;
mod web_hello;
#[cfg(feature = "external-tests")]
mod web_scan;
mod wire;
