//! `tidings check-config`: what the settings come to, or all that is wrong with them.

use std::path::PathBuf;

use clap::Args;

use crate::settings::{Environment, Layer, Purpose, Sources, effective, gather, reference};

/// Prints the effective settings with their origins, or everything that is wrong with them.
#[derive(Debug, Args)]
pub(super) struct CheckConfig {
    /// Settings file; without it, `tidings.toml` in the working directory if it is there.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Checks them as `serve --dev` would.
    #[arg(long)]
    dev: bool,

    /// Prints the reference of all settings instead.
    #[arg(long, conflicts_with_all = ["config", "dev"])]
    reference: bool,
}

impl CheckConfig {
    pub(super) fn run(self) -> anyhow::Result<()> {
        if self.reference {
            super::print(reference().trim_end())?;
            return Ok(());
        }
        let gathered = gather(Sources {
            config: self.config,
            environment: &Environment::of_process(),
            flags: Layer::default(),
            development: self.dev,
        });
        let shown = effective(&gathered);
        let settings = gathered.resolve(Purpose::Inspect)?;
        for warning in &settings.warnings {
            super::tell(&format!("warning: {warning}"));
        }
        super::print(shown.trim_end())?;
        Ok(())
    }
}
