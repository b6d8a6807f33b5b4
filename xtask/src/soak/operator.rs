//! An operator: revokes what readers have shown so far, again and again.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tidings_testkit::random::Random;
use tokio::time::interval;

use super::asking::ask;
use super::reader::subject;
use super::world::{Stage, World};

/// Longer than any credential of a reader lives.
const REMEMBERED: &str = "3m";

/// Revokes one reader's credentials after the other, until the soak ends.
pub(super) async fn run(
    world: Arc<World>,
    seed: u64,
    readers: usize,
    each: Duration,
    token: String,
) -> Result<()> {
    let mut random = Random::new(seed);
    let mut each = interval(each);
    each.tick().await;
    while world.stage() == Stage::Running {
        each.tick().await;
        let reader = random.below(readers as u64) as usize;
        // A token says in seconds when it was issued: one of this second may be newer than this.
        let issued_before = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() * 1_000;
        // Said before it is done, so that nobody wonders about what follows; what is made from now on is
        // not concerned.
        world.revoked(reader).inc();
        let body = json!({
            "revoke": format!("subject:{}", subject(reader)),
            "issuedBefore": issued_before,
            "for": REMEMBERED,
        });
        let line = "POST /v1/revocations";
        let (status, answer) = ask(world.address, line, &token, &body.to_string())
            .await
            .context("a revocation")?;
        ensure!(status == 200, "a revocation is answered with {answer}");
        world.counts.revocations.inc();
    }
    Ok(())
}
