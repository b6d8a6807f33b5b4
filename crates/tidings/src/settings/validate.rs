//! Rules between settings, and the range of each.

use std::time::Duration;

use tidings_auth::limits::LEEWAY_SECONDS_MAX;

use super::duration;
use super::fault::Faults;
use super::gather::Gathered;
use super::limits::{
    RETENTION_HEARTBEATS_MIN, SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN, SHARDS_MAX, SLOW_READER_MS_MAX,
    SLOW_READER_MS_MIN, WINDOW_BYTES_MAX, WINDOW_BYTES_MIN,
};
use super::origin::Sourced;
use super::rule::SECTION as RETENTION_RULE;
use super::size::Size;
use tidings_core::limits::{HEARTBEAT_MS_MAX, HEARTBEAT_MS_MIN, LINGER_MS_MAX};

/// A key with its value, as the checks want it.
type Named<'a, T> = (&'static str, &'a Option<Sourced<T>>);

/// Notes every rule that the settings break. A key that is at fault already is left alone.
pub(super) fn validate(gathered: &Gathered, faults: &mut Faults) {
    let layer = &gathered.layer;
    let heartbeat = ("heartbeat", &layer.heartbeat);
    let age = ("retention.age", &layer.retention_age);
    let segment = ("log.segment_bytes", &layer.log_segment_bytes);
    let mut check = Check { faults };

    check.development(gathered);
    for (name, value) in [
        ("limits.connections", &layer.limits_connections),
        (
            "limits.connections_per_identity",
            &layer.limits_connections_per_identity,
        ),
        (
            "limits.connections_per_address",
            &layer.limits_connections_per_address,
        ),
        (
            "limits.requests_per_address_per_second",
            &layer.limits_requests_per_address_per_second,
        ),
        (
            "limits.refused_logins_per_address_per_minute",
            &layer.limits_refused_logins_per_address_per_minute,
        ),
        (
            "limits.tickets_per_identity_per_minute",
            &layer.limits_tickets_per_identity_per_minute,
        ),
        (
            "limits.events_per_identity_per_second",
            &layer.limits_events_per_identity_per_second,
        ),
        ("retention.count", &layer.retention_count),
        ("dedupe.ids", &layer.dedupe_ids),
        ("window.events", &layer.window_events),
    ] {
        check.range((name, value), 1, u64::from(u32::MAX), |count| {
            (*count, count.to_string())
        });
    }
    let leeway = ("auth.leeway_seconds", &layer.auth_leeway_seconds);
    check.range(leeway, 0, LEEWAY_SECONDS_MAX, |seconds| {
        (*seconds, seconds.to_string())
    });
    let shards = ("shards", &layer.shards);
    check.range(shards, 1, SHARDS_MAX, |count| (*count, count.to_string()));
    let window = ("window.bytes", &layer.window_bytes);
    check.sizes(window, WINDOW_BYTES_MIN, WINDOW_BYTES_MAX);
    check.sizes(segment, SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX);
    let rate = (
        "limits.event_bytes_per_identity_per_second",
        &layer.limits_event_bytes_per_identity_per_second,
    );
    check.sizes(rate, WINDOW_BYTES_MIN, u64::from(u32::MAX));
    check.durations(heartbeat, HEARTBEAT_MS_MIN, HEARTBEAT_MS_MAX);
    let slow_reader = ("streams.slow_reader", &layer.streams_slow_reader);
    check.durations(slow_reader, SLOW_READER_MS_MIN, SLOW_READER_MS_MAX);
    let linger = ("streams.linger", &layer.streams_linger);
    check.durations(linger, 0, LINGER_MS_MAX);

    let two_segments = layer.log_segment_bytes.as_ref().map(|size| Sourced {
        value: Size(size.value.0.saturating_mul(2)),
        origin: size.origin.clone(),
    });
    let retention = ("retention.bytes", &layer.retention_bytes);
    check.at_least(retention, (segment.0, &two_segments), "two segments");
    check.at_least(
        age,
        ("dedupe.window", &layer.dedupe_window),
        "the dedupe window",
    );
    check.at_least(
        ("drain.grace", &layer.drain_grace),
        ("drain.spread", &layer.drain_spread),
        "the spread",
    );
    check.heartbeats(age, heartbeat);
    check.rules(gathered);
}

struct Check<'a> {
    faults: &'a mut Faults,
}

impl Check<'_> {
    fn development(&mut self, gathered: &Gathered) {
        if let Some(listen) = gathered.layer.listen.as_ref()
            && gathered.development
            && !listen.value.ip().is_loopback()
        {
            self.faults.add(
                "listen",
                listen.origin.clone(),
                format!("`--dev` listens on loopback only: {}", listen.value),
                "listen on `127.0.0.1`, or leave `--dev` out and set `auth.secret`",
            );
        }
    }

    fn range<T>(
        &mut self,
        (key, setting): Named<'_, T>,
        min: u64,
        max: u64,
        measure: impl Fn(&T) -> (u64, String),
    ) {
        let Some(setting) = setting else { return };
        let (amount, shown) = measure(&setting.value);
        if amount < min || amount > max {
            self.out_of_range(key, setting, &shown, &min.to_string(), &max.to_string());
        }
    }

    fn sizes(&mut self, (key, setting): Named<'_, Size>, min: u64, max: u64) {
        let Some(setting) = setting else { return };
        if setting.value < Size(min) || setting.value > Size(max) {
            let (min, max) = (Size(min).to_string(), Size(max).to_string());
            self.out_of_range(key, setting, &setting.value.to_string(), &min, &max);
        }
    }

    fn durations(&mut self, (key, setting): Named<'_, Duration>, min_ms: u64, max_ms: u64) {
        let Some(setting) = setting else { return };
        let (min, max) = (Duration::from_millis(min_ms), Duration::from_millis(max_ms));
        if setting.value < min || setting.value > max {
            let shown = duration::show(setting.value);
            self.out_of_range(
                key,
                setting,
                &shown,
                &duration::show(min),
                &duration::show(max),
            );
        }
    }

    fn out_of_range<T>(
        &mut self,
        key: &'static str,
        setting: &Sourced<T>,
        found: &str,
        min: &str,
        max: &str,
    ) {
        self.faults.add(
            key,
            setting.origin.clone(),
            format!("`{key}` is out of range: {found}"),
            format!("give {min} at least and {max} at most"),
        );
    }

    fn at_least<T: PartialOrd>(
        &mut self,
        (key, larger): Named<'_, T>,
        (other, smaller): Named<'_, T>,
        what: &str,
    ) {
        let (Some(larger), Some(smaller)) = (larger, smaller) else {
            return;
        };
        if larger.value < smaller.value && !self.faults.touch(&[key, other]) {
            // Whoever spoke last can mend it, so the stronger origin is shown.
            let origin = if larger.origin.rank() >= smaller.origin.rank() {
                &larger.origin
            } else {
                &smaller.origin
            };
            self.faults.add(
                key,
                origin.clone(),
                format!("`{key}` is less than {what}, which `{other}` sets"),
                format!("raise `{key}` or lower `{other}`"),
            );
        }
    }

    fn heartbeats(&mut self, (key, age): Named<'_, Duration>, heartbeat: Named<'_, Duration>) {
        let (Some(age), Some(pulse)) = (age, heartbeat.1) else {
            return;
        };
        let least = pulse.value * RETENTION_HEARTBEATS_MIN;
        if age.value < least && !self.faults.touch(&[key, heartbeat.0]) {
            self.faults.add(
                key,
                age.origin.clone(),
                format!(
                    "`{key}` is under {RETENTION_HEARTBEATS_MIN} heartbeats: {}",
                    duration::show(age.value)
                ),
                format!(
                    "give {} at least, or lower `heartbeat`",
                    duration::show(least)
                ),
            );
        }
    }

    fn rules(&mut self, gathered: &Gathered) {
        let layer = &gathered.layer;
        for rule in &gathered.sections.retention_rules {
            let age = rule.value.age.map(|value| Sourced {
                value,
                origin: rule.origin.clone(),
            });
            self.heartbeats((RETENTION_RULE.name, &age), ("heartbeat", &layer.heartbeat));
            let whole = layer.retention_age.as_ref();
            if let (Some(age), Some(whole)) = (rule.value.age, whole)
                && age > whole.value
                && !self.faults.touch(&["retention.age"])
            {
                self.faults.add(
                    RETENTION_RULE.name,
                    rule.origin.clone(),
                    format!(
                        "the rule for `{}` keeps events longer than `retention.age`: {}",
                        rule.value.pattern,
                        duration::show(age)
                    ),
                    "a rule can only shorten retention; raise `retention.age`",
                );
            }
        }
    }
}
