//! Taking other settings over while the hub runs.

use std::sync::Arc;

use tidings_auth::issuer::Issuers;
use tidings_auth::rules::Template;
use tidings_core::port::Clock;
use tidings_http::App;
use tidings_hub::{Allowed, Hub};

use super::access::{self, Stores};
use super::surface;
use super::traces::Spans;
use crate::settings::Settings;

/// The parts of a running hub that follow its settings.
#[derive(Debug)]
pub struct Changes {
    pub(super) app: App,
    pub(super) hub: Hub,
    pub(super) stores: Stores,
    pub(super) issuers: Arc<Issuers>,
    pub(super) homes: Vec<(String, Template)>,
    pub(super) spans: Option<Spans>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Changes {
    /// Has the hub decide by these settings from now on, as far as that needs no restart. If any of it
    /// cannot be used, nothing has changed.
    pub fn take_over(&mut self, settings: &Settings) -> anyhow::Result<()> {
        let homes = self.homes.clone();
        let (stores, before) = (&self.stores, Some(&*self.issuers));
        let access = access::assemble(settings, homes, stores, before, &self.clock)?;
        let surface = surface(settings, self.spans.as_ref())?;
        self.issuers = access.issuers;
        self.hub.allow(allowed(settings));
        self.app.decide(access.access, surface);
        Ok(())
    }

    /// The surface whose figures tell of it.
    pub fn app(&self) -> &App {
        &self.app
    }
}

/// How many connections these settings allow.
fn allowed(settings: &Settings) -> Allowed {
    Allowed {
        hub: settings.limits.connections,
        per_identity: settings.limits.connections_per_identity,
        per_address: settings.limits.connections_per_address,
    }
}
