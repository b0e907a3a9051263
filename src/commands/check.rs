//! `check`: every problem of the configuration, and of the web side's where that is named.

use std::path::Path;

use crate::base::shard::Shard;
use crate::cli::Check;
use crate::config::{Config, ConfigError, Share, Web, WebFile};

use super::{CONFIGURATION, eprint_line, point_to_first_steps, print_line};

pub(super) fn check(flags: Check) -> u8 {
    let config = Config::load(&flags.config_file);
    let web = flags.web_config_file.filter(|file| !file.as_os_str().is_empty());
    let web = web.map(|file| (WebFile::new(file.clone()).read(), file));
    let is_good = config.is_ok() && web.as_ref().is_none_or(|(web, _)| web.is_ok());
    match config {
        Ok(config) => {
            for warning in &config.warnings {
                eprint_line(format!("warning: {warning}"));
            }
            print_line(format!("{}: {}, no problem", flags.config_file.display(), counted(&config)));
        }
        Err(error) => {
            eprint_line(error);
            point_to_first_steps(&flags.config_file);
        }
    }
    if let Some((web, file)) = web {
        print_web(web, &file);
    }
    if is_good { 0 } else { CONFIGURATION }
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
