//! `tidings serve`: run a hub.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::env_vars;
use crate::serve::{self, Start};
use crate::service_manager::ServiceManager;
use crate::settings::origin::{Origin, Sourced};
use crate::settings::value::{Raw, Value as _};
use crate::settings::{Environment, Layer, Purpose, Sources, gather};

/// Runs a hub.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Starts for development: on loopback only, with data in ./tidings-data and a secret that is
    /// made once and kept there.
    #[arg(long)]
    dev: bool,

    /// Address and port to listen on.
    #[arg(long, value_name = "ADDR", value_parser = address)]
    listen: Option<SocketAddr>,

    /// Directory of the log.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Settings file; without it, `tidings.toml` in the working directory if it is there.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// File to write the address to, once connections are accepted.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    SocketAddr::read(&Raw::Text(text.to_owned()))
        .ok_or_else(|| format!("expected {}", SocketAddr::EXPECTED))
}

impl Serve {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let flags = Layer {
            listen: self.listen.map(|value| Sourced {
                value,
                origin: Origin::Flag("--listen"),
            }),
            data_dir: self.data_dir.map(|value| Sourced {
                value,
                origin: Origin::Flag("--data-dir"),
            }),
            ..Layer::default()
        };
        let (config, development) = (self.config, self.dev);
        let environment = Environment::of_process();
        let manager = ServiceManager::new(environment.get(env_vars::NOTIFY_SOCKET));
        let read = move |purpose| {
            let sources = Sources {
                config: config.clone(),
                environment: &environment,
                flags: flags.clone(),
                development,
            };
            gather(sources).resolve(purpose)
        };
        serve::run(Start {
            settings: read(Purpose::Serve)?,
            read_again: Box::new(move || read(Purpose::Inspect)),
            ready_file: self.ready_file,
            manager,
        })
    }
}
