//! Idle streams over HTTP/2: memory and processor time of one, beside others on its connection or with
//! one for itself.

use crate::load::bundle::{BundlePlan, Bundles};
use crate::load::clock::now_us;
use crate::load::h2::Fields;
use crate::load::meter::Meter;
use crate::load::report::Report;
use crate::load::scenario::idle::{Held, idle};
use crate::load::socket::raise_descriptor_limit;
use crate::load::stage::source_addresses;
use crate::load::{Load, LoadError};

pub(super) fn run(load: &Load) -> Result<Report, LoadError> {
    raise_descriptor_limit();
    let meter = Meter::new(load.server_pids.clone());
    if let Some(pid) = meter.absent() {
        return Err(LoadError::NoServer(pid));
    }
    let mut bundles = Bundles::new(BundlePlan {
        address: load.subscribe.address,
        requests: (0..load.topics).map(|topic| request(load, topic)).collect(),
        streams: load.readers,
        of_each: load.streams,
        opening: load.opening / load.streams,
        source_addresses: source_addresses(load)?,
    })?;
    let before = meter.read();
    let begun = now_us();
    let opened = bundles.open()?;
    let seconds = (now_us() - begun) as f64 / 1_000_000.0;
    if opened.open != load.readers {
        return Err(LoadError::NotOpen {
            open: opened.open,
            readers: load.readers,
            cause: opened
                .cause
                .unwrap_or_else(|| "no answer in time".to_owned()),
        });
    }
    let at_open = meter.read();
    let held = bundles.hold(load.duration)?;
    let mut report = Report::new(load, 0, &held);
    report.idle = Some(idle(
        load,
        &Held {
            connections: bundles.connections(),
            seconds,
            opened: &opened,
            has_servers: meter.has_servers(),
            readings: [before, at_open, meter.read()],
        },
    ));
    Ok(report)
}

fn request(load: &Load, number: u32) -> Fields {
    let target = &load.subscribe;
    let path = target.path(&load.topic.topic(number), number);
    let fields = Fields::get(&target.host, &path)
        .with("accept", "text/event-stream")
        .with("cache-control", "no-cache");
    let token = load.token.as_ref();
    match token.and_then(|token| str::from_utf8(token.expose()).ok()) {
        Some(token) => fields.with("authorization", &format!("Bearer {token}")),
        None => fields,
    }
}
