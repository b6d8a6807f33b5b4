//! How a hub is, and what goes on in it, as JSON.

use std::borrow::Cow;

use tidings_core::audience::Subject;
use tidings_core::position::Position;
use tidings_core::shard::Census;

use super::connections::{push_counts, push_map};
use crate::json::{Object, push_number};

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// As it should be.
    Healthy,
    /// It works, not as it should.
    Degraded,
    /// It does not work.
    Down,
}

impl Standing {
    /// The word for a part of the hub.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Down => "down",
        }
    }

    /// The word for the hub as a whole.
    pub fn of_the_whole(self) -> &'static str {
        match self {
            Self::Healthy | Self::Degraded => self.as_str(),
            Self::Down => "unhealthy",
        }
    }
}

/// A part of the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Its name.
    pub name: Cow<'static, str>,
    /// How it is.
    pub standing: Standing,
    /// Why it is not healthy, for people.
    pub why: Option<Cow<'static, str>>,
}

/// What the hub holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreReport {
    /// Events of the log, if that could be found out.
    pub events: Option<u64>,
    /// The oldest of them, if there is any.
    pub earliest: Option<Position>,
    /// The newest committed position.
    pub head: Position,
    /// Bytes of the log, on disk if it is there, if that could be found out.
    pub log_bytes: Option<u64>,
    /// Events that are kept in memory.
    pub window_events: u64,
    /// Bytes of them, as they are reckoned.
    pub window_bytes: u64,
    /// Memory of the process, if the system tells it.
    pub process_bytes: Option<u64>,
}

/// What only administrators are told.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthDetails {
    /// The share of answers that were refusals for want of room, or failures.
    pub error_rate: f64,
    /// All parts.
    pub components: Vec<Component>,
    /// What is held.
    pub store: StoreReport,
}

/// How a hub is.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthReport {
    /// As a whole.
    pub status: Standing,
    /// Its connections.
    pub census: Census,
    /// What only administrators are told.
    pub details: Option<HealthDetails>,
}

/// What happens, for each second.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rates {
    /// Connections opened.
    pub opens: f64,
    /// Connections closed.
    pub closes: f64,
    /// Events committed.
    pub published: f64,
    /// Events handed to connections, once for each.
    pub delivered: f64,
}

/// What goes on in a hub.
#[derive(Debug, Clone, PartialEq)]
pub struct MonitorReport {
    /// Its connections.
    pub census: Census,
    /// How many connections whoever has most of them has, most first.
    pub users: Vec<(Subject, u64)>,
    /// What happened in the last minute.
    pub rates: Rates,
}

/// Appends `{"status", "connections": {"total", "states"}}`, and for administrators `"errorRate"`,
/// `"components"` and `"store"`.
pub fn push_health(report: &HealthReport, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    object.string("status", report.status.of_the_whole());
    push_counts(&report.census, object.key("connections"));
    if let Some(details) = &report.details {
        push_fraction(object.key("errorRate"), details.error_rate);
        let list = object.key("components");
        list.push(b'[');
        for (index, component) in details.components.iter().enumerate() {
            if index > 0 {
                list.push(b',');
            }
            push_component(component, list);
        }
        list.push(b']');
        push_store(&details.store, object.key("store"));
    }
    object.close();
}

/// Appends `{"connections": {"total", "states"}, "users": {...}, "rates": {...}}`.
pub fn push_monitor(report: &MonitorReport, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    push_counts(&report.census, object.key("connections"));
    let users = report.users.iter();
    let users = users.map(|(subject, count)| (subject.as_str(), *count));
    push_map(users, object.key("users"), |count, out| {
        push_number(out, count);
    });
    let mut rates = Object::open(object.key("rates"));
    let Rates {
        opens,
        closes,
        published,
        delivered,
    } = report.rates;
    for (name, rate) in [
        ("opens", opens),
        ("closes", closes),
        ("published", published),
        ("delivered", delivered),
    ] {
        push_fraction(rates.key(name), rate);
    }
    rates.close();
    object.close();
}

fn push_component(component: &Component, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    object
        .string("name", &component.name)
        .string("status", component.standing.as_str());
    if let Some(why) = &component.why {
        object.string("why", why);
    }
    object.close();
}

fn push_store(store: &StoreReport, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    object
        .number_or_null("events", store.events)
        .cursor("earliest", store.earliest)
        .cursor("head", Some(store.head))
        .number_or_null("logBytes", store.log_bytes)
        .number("windowEvents", store.window_events)
        .number("windowBytes", store.window_bytes)
        .number_or_null("processBytes", store.process_bytes);
    object.close();
}

/// Appends a number of at most four decimals; JSON has no others than finite ones.
fn push_fraction(out: &mut Vec<u8>, number: f64) {
    let number = if number.is_finite() { number } else { 0.0 };
    let rounded = (number * 10_000.0).round() / 10_000.0;
    out.extend_from_slice(rounded.to_string().as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_numbers_of_json() {
        for (number, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (0.123_456, "0.1235"),
            (12_345.678_9, "12345.6789"),
            (f64::NAN, "0"),
            (f64::INFINITY, "0"),
        ] {
            let mut out = Vec::new();
            push_fraction(&mut out, number);
            assert_eq!(out, text.as_bytes());
        }
    }
}
