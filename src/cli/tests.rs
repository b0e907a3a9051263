//! Command lines that are taken and those that are not.

use super::*;

fn parse(arguments: &[&str]) -> Command {
    let all = std::iter::once("asyncos_exporter").chain(arguments.iter().copied());
    Cli::try_parse_from(all).expect("valid arguments").command()
}

#[test]
fn serving_is_the_default_command() {
    for arguments in [&["--config.file=x.yaml", "--web.listen-address=:0"][..], &["serve", "--config.file=x.yaml"]] {
        let Command::Serve(serve) = parse(arguments) else { panic!("serve") };
        assert_eq!(serve.config_file, PathBuf::from("x.yaml"));
    }
}

#[test]
fn the_flag_to_check_is_the_command() {
    let Command::Check(check) = parse(&["--config.check", "--config.file=x.yaml"]) else { panic!("check") };
    assert_eq!(check.config_file, PathBuf::from("x.yaml"));
}

#[test]
fn changes_are_looked_for_every_half_minute_if_at_all() {
    for (arguments, enabled, secs) in [
        (&[][..], false, 30),
        (&["--config.enable-auto-reload"], true, 30),
        (&["--config.enable-auto-reload", "--config.auto-reload-interval=1m"], true, 60),
    ] {
        let Command::Serve(serve) = parse(arguments) else { panic!("serve") };
        assert_eq!(serve.config_enable_auto_reload, enabled);
        assert_eq!(serve.config_auto_reload_interval, Duration::from_secs(secs));
    }
    assert!(interval("0s").is_err() && interval("999ms").is_err() && interval("30").is_err());
    assert_eq!(interval("1s"), Ok(Duration::from_secs(1)));
}

#[test]
fn a_password_has_one_source_and_is_no_flag() {
    let refused = |arguments: &[&str]| {
        let all = ["asyncos_exporter", "discover", "--url=https://esa1", "--username=monitor"];
        Cli::try_parse_from(all.iter().chain(arguments)).is_err()
    };
    assert!(!refused(&["--password-file=f"]) && !refused(&["--password-env=V", "--insecure-skip-verify"]));
    assert!(refused(&[]) && refused(&["--password=x"]) && refused(&["--password-file=f", "--password-env=V"]));
    assert!(refused(&["--password-file=f", "--ca-file=f", "--insecure-skip-verify"]));
}

#[test]
fn a_prefix_comes_from_its_flag_or_the_external_url() {
    let prefix = |arguments: &[&str]| {
        let Command::Serve(serve) = parse(arguments) else { panic!("serve") };
        serve.web.paths().prefix().to_owned()
    };
    assert_eq!(prefix(&[]), "");
    assert_eq!(prefix(&["--web.route-prefix=/mail/"]), "/mail");
    assert_eq!(prefix(&["--web.external-url=https://m.example.com/mail"]), "/mail");
    assert_eq!(prefix(&["--web.external-url=https://m.example.com/mail", "--web.route-prefix=/"]), "");
    for text in ["m.example.com", "ftp://m.example.com", "https://m.example.com/?a", "https://u@m.example.com"] {
        assert!(external_url(text).is_err(), "{text}");
    }
}

#[test]
fn definitions_are_sound() {
    <Cli as clap::CommandFactory>::command().debug_assert();
    assert!(path("metrics").is_err() && path("/a b").is_err() && path("/m").is_ok());
    for (text, is_free) in [("/m", true), ("/", true), ("/sd", false), ("/-/ready", false), ("/api/v1/status", false)] {
        assert_eq!(telemetry_path(text).is_ok(), is_free, "{text}");
    }
    assert_eq!(simulate::device_group("eu=a,b"), Ok(("eu".into(), vec!["a".into(), "b".into()])));
}
