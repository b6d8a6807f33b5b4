//! The browser suite: Chromium against the program, in `tests/browser`.

use std::path::Path;

use anyhow::Result;

use super::tally::Tally;
use super::{node, package};

/// Where Debian's package puts the browser.
const CHROMIUM: &str = "/usr/bin/chromium";

/// Runs the suite against the program as it is in the workspace.
pub(crate) fn run(root: &Path) -> Result<Tally> {
    if !Path::new(CHROMIUM).exists() {
        package::install(CHROMIUM, "chromium")?;
    }
    package::need("curl", "curl")?;
    node::run(root, "tests/browser", &[("TIDINGS_CHROMIUM", CHROMIUM)])
}
