//! `check`: every problem of the configuration, and of the web side's where that is named. Contacts the appliances only
//! if asked to.

use std::path::Path;

use crate::base::shard::Shard;
use crate::cli::{Check, CheckFormat};
use crate::config::{Config, ConfigError, Share, Web, WebFile};

use super::connect::connect;
use super::{CONFIGURATION, eprint_line, point_to_first_steps, print_line};

pub(super) async fn check(flags: Check) -> u8 {
    let config = Config::load(&flags.config_file);
    let web = flags.web_config_file.filter(|file| !file.as_os_str().is_empty());
    let web = web.map(|file| (WebFile::new(file.clone()).read(), file));
    let is_good = config.is_ok() && web.as_ref().is_none_or(|(web, _)| web.is_ok());
    match &config {
        Ok(config) => {
            for warning in &config.warnings {
                eprint_line(format!("warning: {warning}"));
            }
            let text = format!("{}: {}, no problem", flags.config_file.display(), counted(config));
            // The result is the only line of standard output that programs read.
            match flags.connect.format {
                CheckFormat::Text => print_line(text),
                CheckFormat::Json => eprint_line(text),
            }
        }
        Err(error) => {
            eprint_line(error);
            point_to_first_steps(&flags.config_file);
        }
    }
    if let Some((web, file)) = web {
        print_web(web, &file);
    }
    match config {
        Ok(config) if is_good && flags.connect.connect => connect(&config, &flags.connect).await,
        Ok(_) if is_good => {
            print_line("no appliance was contacted: add --connect to test connection, login and access");
            0
        }
        Ok(_) | Err(_) => CONFIGURATION,
    }
}

fn counted(config: &Config) -> String {
    let Share { shard, configured } = config.share;
    let all = format!("{configured} appliance(s)");
    match shard {
        Shard::ALONE => all,
        shard => format!("{all}, {} of them on shard {} of {}", config.appliances.len(), shard.index(), shard.shards()),
    }
}

fn print_web(web: Result<Web, ConfigError>, file: &Path) {
    match web {
        Ok(web) => {
            for warning in &web.warnings {
                eprint_line(format!("warning: {warning}"));
            }
            let tls = if web.tls.is_some() { "TLS" } else { "no TLS" };
            print_line(format!("{}: {tls}, {} user(s), no problem", file.display(), web.users.len()));
        }
        Err(error) => eprint_line(error),
    }
}
