//! Settings that change while everything goes on: the hub reads them again on `SIGHUP`, and one file in three
//! is wrong and changes nothing.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::time::interval;

use super::asking::ask;
use super::world::{Stage, World};

/// The figure that counts what became of each.
const FIGURE: &str = "tidings_reloads_total{";

/// Writes other settings and has them read, again and again, until the soak ends.
pub(super) async fn run(
    world: Arc<World>,
    process: u32,
    settings: PathBuf,
    each: Duration,
) -> Result<()> {
    let mut each = interval(each);
    each.tick().await;
    let mut asked = 0_u64;
    while world.stage() == Stage::Running {
        each.tick().await;
        let text = match asked % 3 {
            0 => "limits.tickets_per_identity_per_minute = 100\n",
            1 => {
                "limits.tickets_per_identity_per_minute = 200\ncors.origins = [\"https://app.example\"]\n"
            }
            _ => "limits.no_such_limit = 1\n",
        };
        // As an editor does it: nobody reads half of it.
        let draft = settings.with_extension("draft");
        fs::write(&draft, text)?;
        fs::rename(&draft, &settings)?;
        let status = Command::new("kill")
            .args(["-HUP", &process.to_string()])
            .status()
            .context("cannot start `kill`")?;
        ensure!(status.success(), "the hub has ended");
        asked += 1;
        until_read(&world, asked).await?;
        world.counts.reloads.inc();
    }
    Ok(())
}

/// Waits until the hub has counted so many.
async fn until_read(world: &World, wanted: u64) -> Result<()> {
    for _ in 0..200 {
        let (_, figures) = ask(world.address, "GET /metrics", "", "").await?;
        let lines = figures.lines().filter(|line| line.starts_with(FIGURE));
        let counts = lines.filter_map(|line| line.rsplit_once(' ')?.1.trim().parse::<u64>().ok());
        if counts.sum::<u64>() >= wanted {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("the hub does not read its settings again")
}
