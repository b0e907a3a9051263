//! All integration tests in one binary.

mod config;
mod exposition;
mod golden;
mod page;
mod polling;
mod readme;
mod rig;
mod session;
mod tidy;
