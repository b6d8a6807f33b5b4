//! `tidings serve`: run a hub.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::serve;
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
        let settings = gather(Sources {
            config: self.config,
            environment: &Environment::of_process(),
            flags,
            development: self.dev,
        })
        .resolve(Purpose::Serve)?;
        serve::run(&settings, self.ready_file.as_deref())
    }
}
