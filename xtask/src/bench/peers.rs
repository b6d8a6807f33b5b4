//! `cargo xtask bench --peers`: the same loads on this hub, on nginx with nchan, and on a plain hub of
//! axum, in one run on one machine: the server on one core, the load generator on another.

mod cases;
mod nginx;
pub(super) mod systems;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::BenchArguments;
use super::chart::Chart;
use super::generator::Findings;
use super::report::{Figure, Report};
use crate::program::{build, build_package};
use cases::{CASES, Case, Pace};
use systems::{Programs, System};

/// Seconds of each measured phase of a short run.
const QUICK_SECONDS: u64 = 2;

/// How long events may be silent before those that a system has lost are given up.
const PATIENCE: &str = "--patience 5s";

/// The file of the results.
const NAME: &str = "peers";

/// Findings of each run, by case and system.
type Found = BTreeMap<(&'static str, &'static str), Vec<Findings>>;

/// Measures the cases that are named, or all.
///
/// The answer is whether ours lost, repeated and mixed up nothing.
pub(crate) fn run(root: &Path, arguments: &BenchArguments, names: &[String]) -> Result<bool> {
    let cases = named(names, &CASES, |case| case.name)?;
    let systems = named(&arguments.systems, &System::ALL, |system| system.name())?;
    let with_nchan = systems.iter().any(|system| **system == System::Nchan);
    if with_nchan && !nginx::is_installed() {
        ensure!(
            arguments.install,
            "nginx with nchan is not installed\nhint: `--install` installs it with apt-get, or leave it out with \
             `--systems tidings,tidings-memory,axum`"
        );
        nginx::install()?;
    }
    let programs = Programs {
        tidings: arguments.binary.clone().map_or_else(|| build(root), Ok)?,
        baseline: build_package(root, "tidings-bench-baseline")?,
    };
    let seconds = if arguments.quick {
        QUICK_SECONDS
    } else {
        arguments.seconds
    };
    let mut found = Found::new();
    let mut ours_is_right = true;
    for case in cases {
        let contestants = case.systems.iter().filter(|one| systems.contains(one));
        // A moment of the machine then hits all of them, and not all runs of one.
        let turns = (0..case.runs).flat_map(|_| contestants.clone());
        for system in turns {
            let Some(load) = load(case, *system, seconds, &found) else {
                println!("== {}: {} has no rate to halve", case.name, system.name());
                continue;
            };
            println!("== {}: {}", case.name, system.name());
            let findings = measure(root, &programs, *system, &load)?;
            print(case, &findings);
            let faults = findings.faults();
            if !faults.is_empty() {
                println!("  readers did not see every event once and in order: {faults}");
                ours_is_right &= !system.is_ours();
            }
            let runs = found.entry((case.name, system.name())).or_default();
            runs.push(findings);
        }
    }
    let report = report(&found, seconds);
    report.write(root, &root.join(&arguments.out), NAME)?;
    Ok(ours_is_right)
}

/// The rows that are named, or all; a name that no row has is an error.
fn named<'a, T>(
    names: &[String],
    all: &'a [T],
    name_of: impl Fn(&T) -> &'static str,
) -> Result<Vec<&'a T>> {
    let known = || all.iter().map(&name_of).collect::<Vec<_>>();
    if let Some(unknown) = names.iter().find(|name| !known().contains(&name.as_str())) {
        bail!(
            "nothing here is called `{unknown}`\nhint: there are: {}",
            known().join(", ")
        );
    }
    let is_wanted = |one: &&T| names.is_empty() || names.iter().any(|name| name == name_of(one));
    Ok(all.iter().filter(is_wanted).collect())
}

/// The arguments of a load; none if it depends on a case that was not measured.
fn load(case: &Case, system: System, seconds: u64, found: &Found) -> Option<String> {
    let rate = match case.pace {
        Pace::Given => String::new(),
        Pace::HalfOf(other) => {
            let runs = found.get(&(other, system.name()))?;
            let rate = median(numbers(runs, "/publishedPerSecond"))? / 2.0;
            format!("--rate {rate:.0}")
        }
    };
    Some(format!(
        "{} {rate} --duration {seconds}s {PATIENCE}",
        case.load
    ))
}

fn measure(root: &Path, programs: &Programs, system: System, load: &str) -> Result<Findings> {
    let contestant = system.start(root, programs)?;
    let generator = contestant.generator(programs)?;
    generator.run_with_faults(load).with_context(|| {
        format!(
            "`{}` was not measured; it said: {}",
            system.name(),
            contestant.last_words()
        )
    })
}

fn print(case: &Case, findings: &Findings) {
    for wanted in case.figures {
        if let Some(value) = findings.number(wanted.pointer) {
            println!("  {:<46} {value:>14.2} {}", wanted.name, wanted.unit);
        }
    }
}

fn report(found: &Found, seconds: u64) -> Report {
    let mut figures = Vec::new();
    let mut charts = Vec::new();
    for case in &CASES {
        for (index, wanted) in case.figures.iter().enumerate() {
            let mut bars = Vec::new();
            for system in case.systems {
                let runs = found.get(&(case.name, system.name()));
                let values = runs.map_or_else(Vec::new, |runs| numbers(runs, wanted.pointer));
                let value = if wanted.adds_up && !values.is_empty() {
                    Some(values.iter().sum())
                } else {
                    median(values.clone())
                };
                let Some(value) = value else { continue };
                bars.push((system.name().to_owned(), value));
                let name = format!("{}: {}: {}", case.name, wanted.name, system.name());
                let to_reach = wanted.to_reach.filter(|_| system.is_ours());
                let figure = Figure::new(name, value, wanted.unit).with_goal(to_reach);
                figures.push(figure.with_runs(values));
            }
            // The first figure is the one that a case is about.
            if index == 0 && !bars.is_empty() {
                let label = format!("{}, {}", wanted.name, wanted.unit);
                let reach = wanted.to_reach.unwrap_or("as good as it gets");
                let x_label = format!("to reach: {reach}");
                let chart = Chart::bars(case.title, &x_label, &label, bars);
                charts.push((format!("-{}", case.name), chart));
            }
        }
    }
    Report {
        setup: format!(
            "each system on one core and `tidings bench` on another, {seconds} s of each load after a warm-up, a fresh \
             process for each; nchan and axum without authentication and durability, tidings with both, \
             tidings-memory with its log in memory; where a load was run several times, in turns, the figure is the \
             median, and what is missing the sum; events of 200 bytes unless said; figures to reach are those of tidings"
        ),
        figures,
        charts,
    }
}

/// A figure of each run that has it.
fn numbers(runs: &[Findings], pointer: &str) -> Vec<f64> {
    let numbers = runs.iter().filter_map(|findings| findings.number(pointer));
    numbers.collect()
}

/// The one in the middle; of an even number the lower one.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_that_halve_a_rate_come_after_the_one_that_they_halve() {
        let names = CASES.iter().map(|case| case.name);
        let names: Vec<_> = names.collect();
        for case in &CASES {
            if let Pace::HalfOf(other) = case.pace {
                let place = |name| names.iter().position(|one| *one == name);
                assert!(place(other) < place(case.name), "{}", case.name);
            }
        }
    }

    #[test]
    fn one_bad_moment_decides_nothing_and_one_loss_everything() {
        let run = |p99: f64, missing: u64| {
            let text = format!(r#"{{"deliveryMs":{{"p99":{p99}}},"missing":{missing}}}"#);
            Findings::read(text.as_bytes()).expect("JSON")
        };
        let runs = vec![run(2.0, 0), run(90.0, 7), run(1.0, 0)];
        let found = Found::from([(("unicast-half", System::Durable.name()), runs)]);
        let report = report(&found, 1);
        let shown = format!("{:?}", report.figures);
        assert!(shown.contains("value: 2.0"), "{shown}");
        assert!(shown.contains("value: 7.0"), "{shown}");
        assert_eq!(median(Vec::new()), None);
    }

    #[test]
    fn a_name_that_no_case_has_is_an_error_with_those_that_there_are() {
        let error = named(&["herds".to_owned()], &CASES, |case| case.name).err();
        let text = format!("{:#}", error.expect("no such case"));
        assert!(text.contains("herd, storm"), "{text}");
        assert_eq!(
            named(&[], &CASES, |case| case.name).expect("all").len(),
            CASES.len()
        );
    }

    #[test]
    fn half_of_a_rate_needs_one_that_was_measured() {
        let half = CASES.iter().find(|case| case.name == "unicast-half");
        let half = half.expect("a case");
        let mut found = Found::new();
        assert_eq!(load(half, System::Nchan, 2, &found), None);
        let findings = Findings::read(br#"{"publishedPerSecond":30000.0}"#).expect("JSON");
        found.insert(("unicast", "nchan"), vec![findings]);
        let load = load(half, System::Nchan, 2, &found).expect("a load");
        assert!(load.contains("--rate 15000 --duration 2s"), "{load}");
    }
}
