//! Bodies of the routes by which an operator sees what a hub does, and by which a live stream is
//! changed.

mod action;
mod connections;
mod health;
mod request;

pub use action::{ActionFault, HealthAction, Whom, health_action, push_done};
pub use connections::{ListedConnection, push_connection, push_connections, push_counts};
pub use health::{
    Component, HealthDetails, HealthReport, MonitorReport, Rates, Standing, StoreReport,
    push_health, push_monitor,
};
pub use request::{ChangeFault, change};
