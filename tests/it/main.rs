//! All integration tests in one binary.

mod config;
mod exposition;
mod golden;
mod polling;
mod rig;
mod session;
