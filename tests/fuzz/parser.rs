//! Feeds one parser, which has the name of the target.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| asyncos_exporter::fuzz::check(env!("CARGO_BIN_NAME"), input));
