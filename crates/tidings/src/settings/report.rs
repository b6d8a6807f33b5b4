//! Settings for people: the effective ones with their origins, and the reference of all keys.

use std::fmt::Write as _;

use super::gather::Gathered;
use super::keys::KEYS;
use super::reload::is_taken_over;
use super::sections::SECTIONS;

/// Every key that is set, as a settings file would have it, with its origin behind it.
pub fn effective(gathered: &Gathered) -> String {
    let lines: Vec<(String, String)> = KEYS
        .iter()
        .filter_map(|key| {
            let (value, origin) = (key.show)(&gathered.layer)?;
            Some((format!("{} = {value}", key.name), origin.to_string()))
        })
        .collect();
    let width = lines.iter().map(|(line, _)| line.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (line, origin) in lines {
        // Writing to a string cannot fail.
        let _infallible = writeln!(text, "{line:width$}  # {origin}");
    }
    for (section, shown, origin) in gathered.sections.shown() {
        let name = if section.tables_max == 1 {
            format!("[{}]", section.name)
        } else {
            format!("[[{}]]", section.name)
        };
        let _infallible = writeln!(text, "\n{name}  # {origin}\n{shown}");
    }
    text
}

/// Whether a running hub takes a setting over.
fn on_reload(name: &str) -> &'static str {
    if is_taken_over(name) {
        "- read again on `SIGHUP`\n"
    } else {
        ""
    }
}

/// The reference of all keys, as Markdown.
pub fn reference() -> String {
    let mut text = String::from(
        "# Settings\n\nStrongest first: flags, environment variables, the settings file, `--dev`, \
         defaults.\nThe file is `tidings.toml` in the working directory, or the one that `--config` \
         or `TIDINGS_CONFIG` names.\nA dot in a key is a table in the file: `limits.connections` is \
         `connections` under `[limits]`.\n",
    );
    for key in KEYS {
        let default = key.default.unwrap_or("none");
        let _infallible = write!(
            text,
            "\n## `{}`\n\n{}\n\n- value: {}\n- default: `{default}`\n- environment: `{}`\n{}",
            key.name,
            key.doc.trim_start(),
            key.expected,
            key.variable(),
            on_reload(key.name)
        );
    }
    for section in SECTIONS {
        let (name, doc) = (section.name, section.doc);
        let _infallible = if section.tables_max == 1 {
            write!(text, "\n## `[{name}]`\n\nIn the file only. {doc}")
        } else {
            let max = section.tables_max;
            write!(
                text,
                "\n## `[[{name}]]`\n\nIn the file only, {max} at most. {doc}"
            )
        };
    }
    text
}
