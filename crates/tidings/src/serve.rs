//! Running a hub until it is told to stop.

use std::path::Path;

use crate::cli::failure::Failure;
use crate::settings::Settings;

/// Runs a hub. Once it accepts connections, its address is written to the ready file.
pub fn run(settings: &Settings, _ready_file: Option<&Path>) -> anyhow::Result<()> {
    let message = format!("this build has no hub to listen on {}", settings.listen);
    Err(Failure::new(message).into())
}
