//! The manual page and the completions of shells, which packages carry: made from the command line's own definition and
//! rewritten with `UPDATE_GOLDEN=1`.

use std::path::Path;

use asyncos_exporter::cli::Cli;
use clap::{Command, CommandFactory};
use clap_complete::{Generator, Shell};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::golden;

/// Made now: a page that was made before must not have another version or another day.
fn page(mut command: Command) -> String {
    command.build();
    let commands: Vec<Command> = command.get_subcommands().filter(|one| one.get_name() != "help").cloned().collect();
    let man = Man::new(command).section("1").manual("Prometheus exporters").source("asyncos_exporter");
    let mut text = Vec::new();
    man.render_title(&mut text).expect("text");
    man.render_name_section(&mut text).expect("text");
    man.render_synopsis_section(&mut text).expect("text");
    man.render_description_section(&mut text).expect("text");
    man.render_options_section(&mut text).expect("text");
    let mut rest = Roff::default();
    rest.control("SH", ["COMMANDS"]);
    for command in commands {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        rest.control("SS", [command.get_name()]);
        rest.text([roman(about)]);
        // The flags of the default command are those above.
        let flags = command.get_arguments().filter(|flag| command.get_name() != "serve" && flag.get_id() != "help");
        for flag in flags {
            rest.control("TP", []);
            let name = flag.get_long().map_or_else(|| flag.get_id().to_string(), |long| format!("--{long}"));
            let default: Vec<_> = flag.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
            rest.text([bold(name)]);
            let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
            let shown = !default.is_empty() && flag.get_action().takes_values();
            let default = if shown { format!(" [default: {}]", default.join(", ")) } else { String::new() };
            rest.text([roman(help + &default)]);
        }
    }
    rest.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in [
        ("0", "Done, or stopped by SIGTERM or SIGINT."),
        ("1", "A fatal error; the last message gives the cause."),
        ("2", "The command line is wrong."),
        ("78", "The configuration is wrong: starting again does not help."),
    ] {
        rest.control("TP", []);
        rest.text([bold(code)]);
        rest.text([roman(meaning)]);
    }
    rest.control("SH", ["SIGNALS"]);
    rest.text([roman("SIGHUP reads the configuration again; SIGTERM and SIGINT stop, a second one at once.")]);
    rest.control("SH", ["FILES"]);
    for (file, meaning) in [
        (
            "/etc/asyncos_exporter/config.yaml",
            "The configuration of the packaged service; every key is in config.example.yaml.",
        ),
        ("/etc/asyncos_exporter/credentials/", "Passwords, a file each, which the service gets by systemd."),
        ("/var/lib/asyncos_exporter/", "The totals."),
    ] {
        rest.control("TP", []);
        rest.text([bold(file)]);
        rest.text([roman(meaning)]);
    }
    rest.to_writer(&mut text).expect("text");
    String::from_utf8(text).expect("text")
}

#[test]
fn the_manual_page_is_that_of_the_command_line() {
    golden::compare(Path::new("deploy/package/asyncos_exporter.1"), &page(<Cli as CommandFactory>::command()));
}

#[test]
fn completions_are_those_of_the_command_line() {
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut <Cli as CommandFactory>::command(), "asyncos_exporter", &mut text);
        let file = Path::new("deploy/package").join(shell.file_name("asyncos_exporter"));
        golden::compare(&file, &String::from_utf8(text).expect("text"));
    }
}
