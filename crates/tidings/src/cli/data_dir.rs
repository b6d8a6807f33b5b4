//! Which data directory a command beside the hub works on.

use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::Failure;
use crate::settings::origin::{Origin, Sourced};
use crate::settings::{Environment, Layer, Sources, gather};

/// Where a development hub that was started in this directory keeps its data.
const DEVELOPMENT: &str = "tidings-data";

/// The flags that say which hub is meant.
#[derive(Debug, Args)]
pub(super) struct DataDir {
    /// Data directory of the hub; without it, that of the settings, or of the development hub in
    /// this directory.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Settings file; without it, `tidings.toml` in the working directory if it is there.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl DataDir {
    /// The directory: what flags and settings say, else that of a development hub if there is one
    /// here, else where hubs keep their data.
    pub(super) fn resolve(self) -> anyhow::Result<PathBuf> {
        let flags = Layer {
            data_dir: self.data_dir.map(|value| Sourced {
                value,
                origin: Origin::Flag("--data-dir"),
            }),
            ..Layer::default()
        };
        let gathered = gather(Sources {
            config: self.config,
            environment: &Environment::of_process(),
            flags,
            development: false,
        });
        let Some(set) = gathered.faults.or(gathered.layer.data_dir)? else {
            return Err(Failure::new("no data directory is set")
                .hint("give `--data-dir`")
                .into());
        };
        let development = Path::new(DEVELOPMENT);
        if set.origin == Origin::Default && development.is_dir() {
            return Ok(development.to_owned());
        }
        Ok(set.value)
    }
}
