#![doc = include_str!("ARCHITECTURE.md")]

pub mod api;
pub mod app;
pub mod catalogue;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
mod der;
pub mod discovery;
pub mod explain;
pub mod exposition;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod hash;
pub mod heartbeat;
pub mod http;
pub mod ledger;
pub mod logging;
pub mod mixin;
pub mod poll;
pub mod release;
pub mod sample;
pub mod secret;
pub mod shard;
pub mod shutdown;
pub mod sim;
pub mod snapshot;
mod spelling;
pub mod status;
pub mod status_metrics;
pub mod store;
pub mod supervisor;
pub mod telemetry;
pub mod tracking;
pub mod window;
