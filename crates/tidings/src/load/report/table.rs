//! A report as people read it.

use std::fmt::{Display, Formatter, Result};

use super::{Flow, Herd, Idle, Quantiles, Report, Restart, Slow, Storm, Wave};

/// Columns before the figures.
const NAME: usize = 22;

const KIB: f64 = 1_024.0;
const MIB: f64 = KIB * KIB;

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self {
            readers,
            topics,
            publishers,
            ..
        } = self;
        write!(
            f,
            "{readers} readers, {topics} topics, {publishers} publishers"
        )?;
        if let Some(idle) = &self.idle {
            idle.table(f)?;
        }
        if let Some(storm) = &self.storm {
            storm.table(f)?;
        }
        if let Some(herd) = &self.herd {
            herd.table(f)?;
        }
        if let Some(restart) = &self.restart {
            restart.table(f)?;
        }
        if let Some(flow) = &self.flow {
            flow.table(f)?;
        }
        if let Some(slow) = &self.slow {
            slow.table(f)?;
        }
        if self.published > 0 {
            let Self {
                published,
                delivered,
                ..
            } = self;
            row(
                f,
                "events",
                format_args!("{published} published, {delivered} deliveries, warm-up included"),
            )?;
        }
        row(
            f,
            "checks",
            format_args!(
                "missing {}, repeated {}, out of order {}, late readers {}, gaps {}, interrupted {}",
                self.missing,
                self.repeated,
                self.out_of_order,
                self.late_readers,
                self.gaps,
                self.interrupted
            ),
        )
    }
}

impl Flow {
    fn table(&self, f: &mut Formatter<'_>) -> Result {
        match self.rate {
            Some(rate) => row(f, "asked", format_args!("{rate} events/s"))?,
            None => row(f, "asked", "as fast as answers come")?,
        }
        let (seconds, refused, unsent) = (self.seconds, self.refused, self.unsent);
        let rate = self.published_per_second;
        row(
            f,
            "published",
            format_args!("{rate:.0}/s for {seconds:.1} s, {refused} refused, {unsent} unsent"),
        )?;
        latencies(f, "until the answer", self.publish_ms)?;
        row(
            f,
            "delivered",
            format_args!("{:.0}/s", self.delivered_per_second),
        )?;
        latencies(f, "until delivery", self.delivery_ms)?;
        cost(f, "server per publish", self.server_cpu_us_per_publish)?;
        cost(f, "server per delivery", self.server_cpu_us_per_delivery)?;
        if let Some(bytes) = self.server_bytes {
            row(f, "server memory", format_args!("{:.1} MiB", bytes / MIB))?;
        }
        cost(
            f,
            "generator per publish",
            self.generator_cpu_us_per_publish,
        )?;
        cost(
            f,
            "generator per delivery",
            self.generator_cpu_us_per_delivery,
        )
    }
}

impl Idle {
    fn table(&self, f: &mut Formatter<'_>) -> Result {
        row(f, "opened", format_args!("{:.0}/s", self.opened_per_second))?;
        latencies(f, "until the head", self.open_ms)?;
        if let Some(us) = self.server_cpu_us_per_connect {
            row(f, "server per connect", format_args!("{us:.1} us"))?;
        }
        if let Some(percent) = self.server_cpu_percent_held {
            row(
                f,
                "server while held",
                format_args!("{percent:.2} % of a core for {:.0} s", self.held_seconds),
            )?;
        }
        if let (Some(before), Some(held)) = (self.server_bytes_before, self.server_bytes_held) {
            row(
                f,
                "server memory",
                format_args!("{:.1} MiB before, {:.1} MiB held", before / MIB, held / MIB),
            )?;
        }
        if let Some(bytes) = self.server_bytes_per_connection {
            row(f, "server per stream", format_args!("{bytes:.0} B"))?;
        }
        let kernel = self.kernel_bytes_per_connection;
        row(
            f,
            "kernel per stream",
            format_args!("{kernel:.0} B, both ends"),
        )
    }
}

impl Restart {
    fn table(&self, f: &mut Formatter<'_>) -> Result {
        self.left
            .as_ref()
            .map_or(Ok(()), |wave| wave.table(f, "left"))?;
        self.back
            .as_ref()
            .map_or(Ok(()), |wave| wave.table(f, "came back"))?;
        latencies(f, "asked to wait", self.retry_ms)?;
        let (unasked, in_vain, absent) = (self.unasked, self.in_vain, self.absent);
        row(
            f,
            "connects in vain",
            format_args!("{in_vain}, {unasked} streams asked for no time, {absent} readers absent"),
        )
    }
}

impl Wave {
    fn table(&self, f: &mut Formatter<'_>, what: &str) -> Result {
        let (first, last) = (self.first_second, self.last_second + 1);
        let (mean, peak) = (self.mean_per_second, self.peak_per_second);
        row(
            f,
            what,
            format_args!("from second {first} to {last}, {mean:.0}/s, at most {peak}/s"),
        )
    }
}

impl Storm {
    fn table(&self, f: &mut Formatter<'_>) -> Result {
        let (connects, failed) = (self.connects, self.failed);
        row(
            f,
            "connected",
            format_args!(
                "{connects}, {:.0}/s, {failed} failed",
                self.connects_per_second
            ),
        )?;
        if let Some(cause) = &self.cause {
            row(f, "latest failure", cause)?;
        }
        latencies(f, "until the head", self.connect_ms)?;
        if let Some(us) = self.server_cpu_us_per_connect {
            row(f, "server per connect", format_args!("{us:.1} us"))?;
        }
        let us = self.generator_cpu_us_per_connect;
        row(f, "generator per connect", format_args!("{us:.1} us"))
    }
}

impl Herd {
    fn table(&self, f: &mut Formatter<'_>) -> Result {
        let (missed, seconds) = (self.events_missed, self.seconds);
        row(
            f,
            "returned",
            format_args!("all with {missed} events in {seconds:.3} s"),
        )?;
        latencies(f, "of each reader", self.return_ms)?;
        row(
            f,
            "replayed",
            format_args!("{:.0}/s", self.replayed_per_second),
        )?;
        match self.server_cpu_us_per_replayed {
            Some(us) => row(f, "server per replayed", format_args!("{us:.3} us")),
            None => Ok(()),
        }
    }
}

impl Slow {
    fn table(&self, f: &mut Formatter<'_>) -> Result {
        let stopped = self.stopped;
        row(
            f,
            "stopped",
            format_args!("{stopped} readers; above are the others with them"),
        )?;
        latencies(f, "without stopped ones", self.all_read.delivery_ms)?;
        if let Some(ratio) = self.p99_ratio {
            row(
                f,
                "others' p99",
                format_args!("{ratio:.2} times that without"),
            )?;
        }
        if let Some(bytes) = self.server_bytes_grown {
            row(
                f,
                "server memory grew",
                format_args!("{:.1} MiB", bytes / MIB),
            )?;
        }
        let bytes = self.kernel_bytes_grown;
        row(
            f,
            "kernel memory grew",
            format_args!("{:.1} MiB", bytes / MIB),
        )
    }
}

impl Display for Quantiles {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self {
            p50,
            p90,
            p99,
            p999,
            max,
        } = self;
        write!(
            f,
            "p50 {p50:.2}  p90 {p90:.2}  p99 {p99:.2}  p99.9 {p999:.2}  max {max:.2} ms"
        )
    }
}

fn latencies(f: &mut Formatter<'_>, name: &str, latencies: Option<Quantiles>) -> Result {
    match latencies {
        Some(latencies) => row(f, name, latencies),
        None => row(f, name, "nothing was timed"),
    }
}

fn cost(f: &mut Formatter<'_>, name: &str, us: Option<f64>) -> Result {
    match us {
        Some(us) => row(f, name, format_args!("{us:.3} us")),
        None => Ok(()),
    }
}

fn row(f: &mut Formatter<'_>, name: &str, value: impl Display) -> Result {
    write!(f, "\n{name:NAME$}  {value}")
}
