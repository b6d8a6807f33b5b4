//! A network between this process and a hub that can be cut in the middle: both ends stay up, and what
//! they send goes nowhere.
//!
//! The hub lives in a network namespace of its own. One way there leads over a bridge in a second
//! namespace, whose port is taken away to cut it; another is direct, for whoever watches.

use std::net::Ipv4Addr;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Where the hub is, over the way that can be cut.
pub(super) const CUTTABLE: Ipv4Addr = Ipv4Addr::new(10, 231, 1, 2);

/// Where the hub is, directly.
pub(super) const DIRECT: Ipv4Addr = Ipv4Addr::new(10, 231, 2, 2);

/// This side of the way that can be cut, and its address on the link.
const NEAR: Ipv4Addr = Ipv4Addr::new(10, 231, 1, 1);
const NEAR_STATION: &str = "02:00:00:00:00:01";

/// The end of the way that can be cut, on this side and on the hub's.
const NEAR_END: &str = "tdgs-near";
const FAR_END: &str = "tdgs-far";

/// The network; gone when it is dropped.
#[derive(Debug)]
pub(super) struct Network {
    hub: String,
    middle: String,
}

impl Network {
    /// Makes it, which takes root and `iproute2`.
    pub(super) fn new() -> Result<Self> {
        let id = std::process::id();
        let network = Self {
            hub: format!("tdgs-hub-{id}"),
            middle: format!("tdgs-middle-{id}"),
        };
        network.set_up().context(
            "cannot make the network\nhint: run as root, with `ip` of Debian's package iproute2",
        )?;
        Ok(network)
    }

    fn set_up(&self) -> Result<()> {
        let (hub, middle) = (&self.hub, &self.middle);
        for line in [
            format!("netns add {middle}"),
            format!("netns add {hub}"),
            format!("link add {NEAR_END} type veth peer name near netns {middle}"),
            format!("link add {FAR_END} netns {hub} type veth peer name far netns {middle}"),
            format!("-n {middle} link add bridge type bridge"),
            format!("-n {middle} link set near master bridge up"),
            format!("-n {middle} link set far master bridge up"),
            format!("-n {middle} link set bridge up"),
            format!("addr add {NEAR}/24 dev {NEAR_END}"),
            format!("link set {NEAR_END} address {NEAR_STATION} up"),
            format!("-n {hub} addr add {CUTTABLE}/24 dev {FAR_END}"),
            format!("-n {hub} link set {FAR_END} up"),
            // Otherwise the hub's system would notice that nobody answers for the address.
            format!("-n {hub} neigh add {NEAR} lladdr {NEAR_STATION} dev {FAR_END} nud permanent"),
            format!("link add tdgs-direct type veth peer name direct netns {hub}"),
            "addr add 10.231.2.1/24 dev tdgs-direct".to_owned(),
            "link set tdgs-direct up".to_owned(),
            format!("-n {hub} addr add {DIRECT}/24 dev direct"),
            format!("-n {hub} link set direct up"),
            format!("-n {hub} link set lo up"),
        ] {
            ip(&line)?;
        }
        Ok(())
    }

    /// A command that runs where the hub lives. Its process is the hub's.
    pub(super) fn command(&self, program: &std::path::Path) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.hub]).arg(program);
        command
    }

    /// Cuts the way in the middle.
    pub(super) fn cut(&self) -> Result<()> {
        ip(&format!("-n {} link set near nomaster", self.middle))
    }

    /// Packets that this side, and that the hub has sent on the way that can be cut.
    pub(super) fn sent(&self) -> Result<(u64, u64)> {
        let near = std::fs::read_to_string(statistics(NEAR_END))?;
        let output = self
            .command(std::path::Path::new("cat"))
            .arg(statistics(FAR_END))
            .output()?;
        let far = String::from_utf8_lossy(&output.stdout);
        Ok((near.trim().parse()?, far.trim().parse()?))
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for name in [&self.middle, &self.hub] {
            // What was not made cannot be removed; links go with their namespaces.
            drop(ip(&format!("netns del {name}")));
        }
    }
}

fn statistics(link: &str) -> String {
    format!("/sys/class/net/{link}/statistics/tx_packets")
}

fn ip(line: &str) -> Result<()> {
    let output = Command::new("ip")
        .args(line.split_whitespace())
        .output()
        .context("cannot start `ip`")?;
    ensure!(
        output.status.success(),
        "`ip {line}` failed: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}
