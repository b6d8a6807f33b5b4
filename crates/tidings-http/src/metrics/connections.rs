//! Reading connections by transport and state, and how far behind they are: what shards are asked for
//! each time that somebody looks.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use tidings_hub::{Census, ConnectionState, Lag, Transport};

/// Connections by transport and state.
const STATES: &str = "tidings_hub_connections_by_state";
/// Connections that are behind.
const BEHIND: &str = "tidings_hub_connections_behind";
/// How far.
const LAG: &str = "tidings_hub_lag_positions_max";

/// What the shards said the last time; nothing, if they did not answer in time.
#[derive(Debug, Clone, Default)]
pub(super) struct Counted(Arc<Mutex<Option<(Census, Lag)>>>);

impl Counted {
    /// Takes what the shards say now.
    pub(super) fn set(&self, counted: Option<(Census, Lag)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = counted;
    }
}

impl Collector for Counted {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let counted = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((census, lag)) = counted else {
            return Ok(());
        };
        let help = "Reading connections by transport and state";
        let mut family = encoder.encode_descriptor(STATES, help, None, MetricType::Gauge)?;
        for transport in Transport::ALL {
            for state in ConnectionState::ALL {
                let labels = [("transport", transport.as_str()), ("state", state.as_str())];
                let gauge = ConstGauge::new(census.of(transport, state));
                gauge.encode(family.encode_family(&labels)?)?;
            }
        }
        let help = "Reading connections that have not been given all that they may be given";
        super::figures::write(&mut encoder, BEHIND, help, &ConstGauge::new(lag.behind))?;
        let help = "Positions of the log between its end and the reader that is furthest behind";
        let gauge = ConstGauge::new(lag.positions_max);
        super::figures::write(&mut encoder, LAG, help, &gauge)
    }
}
