//! What goes on in a hub, for the dashboard of an administrator: connections, whose they are, and what
//! happens in a second.

use std::cmp::Reverse;

use http::Response;
use tidings_core::audience::Subject;
use tidings_wire::operator::{self, MonitorReport};

use crate::access::{administrator, answer as json};
use crate::app::App;
use crate::call::Call;
use crate::limits::MONITOR_USERS_MAX;
use crate::native::asked;
use crate::reply::{Body, Refusal};

/// Tells administrators what goes on.
pub(crate) async fn answer(app: &App, mut call: Call) -> Result<Response<Body>, Refusal> {
    administrator(app, &mut call).await?;
    asked::read_nothing(app, &call)?;
    let mut out = Vec::new();
    operator::push_monitor(&report(app).await, &mut out);
    Ok(json(out))
}

/// What goes on.
///
/// # Cancel safety
///
/// Safe: nothing is changed.
pub(crate) async fn report(app: &App) -> MonitorReport {
    let (census, subjects) = app.hub().census_by_subject().await;
    let mut users: Vec<(Subject, u64)> = subjects.into_iter().collect();
    users.sort_by(|one, other| (Reverse(one.1), &one.0).cmp(&(Reverse(other.1), &other.0)));
    users.truncate(MONITOR_USERS_MAX);
    MonitorReport {
        census,
        users,
        rates: app.observed().past(app).rates(),
    }
}
