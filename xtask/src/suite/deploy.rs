//! The deploy suite: the files of `deploy` and streams through proxies that run by them, in
//! `tests/deploy`.

use std::path::Path;

use anyhow::Result;

use super::tally::Tally;
use super::{node, package};

/// Programs that read the files, where Debian's packages put them.
const PROGRAMS: [(&str, &str); 6] = [
    ("/usr/sbin/nginx", "nginx-light"),
    ("/usr/sbin/haproxy", "haproxy"),
    ("/usr/bin/caddy", "caddy"),
    ("/usr/bin/promtool", "prometheus"),
    ("/usr/bin/systemd-analyze", "systemd"),
    ("/usr/bin/openssl", "openssl"),
];

/// Runs the suite against the program as it is in the workspace.
pub(super) fn run(root: &Path) -> Result<Tally> {
    for (program, package) in PROGRAMS {
        if !Path::new(program).exists() {
            package::install(program, package)?;
        }
    }
    node::run(root, "tests/deploy", &[])
}
