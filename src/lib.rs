#![doc = include_str!("ARCHITECTURE.md")]

pub mod api;
pub mod app;
pub mod base;
pub mod catalogue;
pub mod cli;
pub mod commands;
pub mod config;
pub mod exposition;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod http;
pub mod ledger;
pub(crate) mod poll;
pub mod sample;
pub mod sim;
pub mod snapshot;
pub(crate) mod status;
pub mod store;
pub mod telemetry;
