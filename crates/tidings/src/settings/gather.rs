//! Gathering the layers: defaults, development, file, environment, flags.

use std::path::{Path, PathBuf};

use crate::env_vars;

use super::combine::Combine;
use super::environment::Environment;
use super::fault::Faults;
use super::file;
use super::keys::{self, KEYS, Layer};
use super::origin::Origin;
use super::sections::Sections;
use super::value::Raw;

/// The settings file that is read if it is there and no other is named.
const DEFAULT_FILE: &str = "tidings.toml";

/// What `--dev` sets unless somebody says otherwise.
const DEVELOPMENT: [(&str, &str); 3] = [
    ("data_dir", "./tidings-data"),
    ("cors.origins", "http://localhost:*,http://127.0.0.1:*"),
    // Whoever presses Ctrl-C waits for the end; a few readers need no half minute of politeness.
    ("drain.spread", "1s"),
];

/// Where settings may come from.
#[derive(Debug)]
pub struct Sources<'a> {
    /// The file that `--config` names.
    pub config: Option<PathBuf>,
    /// Environment variables.
    pub environment: &'a Environment,
    /// What flags say.
    pub flags: Layer,
    /// Whether `--dev` is there.
    pub development: bool,
}

/// All layers in one, and what was wrong on the way.
#[derive(Debug)]
pub struct Gathered {
    /// Every key with its origin.
    pub layer: Layer,
    /// The tables of the file that are no keys.
    pub sections: Sections,
    /// What was wrong.
    pub faults: Faults,
    /// Whether `--dev` is there.
    pub development: bool,
    /// Whether the settings file could be read: if not, what is missing may stand in it.
    pub(super) file_is_known: bool,
}

impl Gathered {
    /// Where the log is.
    pub(super) fn data_dir(&self) -> &Path {
        let set = self.layer.data_dir.as_ref();
        &set.expect("the weakest layer holds every default, which a test checks")
            .value
    }
}

/// Reads all sources. Never fails at once: whatever is wrong is in the result.
pub fn gather(sources: Sources<'_>) -> Gathered {
    let mut faults = Faults::default();
    let environment = sources.environment.layer(&mut faults);
    let named = sources
        .config
        .or_else(|| sources.environment.get(env_vars::CONFIG).map(PathBuf::from));
    let required = named.is_some();
    let path = named.unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
    let file = file::layer(&path, required, &mut faults);
    let file_is_known = file.is_some();
    let (file, sections) = file.unwrap_or_default();
    let development = if sources.development {
        texts(DEVELOPMENT, &Origin::Development)
    } else {
        Layer::default()
    };
    Gathered {
        layer: sources
            .flags
            .combine(environment)
            .combine(file)
            .combine(development)
            .combine(defaults()),
        sections,
        faults,
        development: sources.development,
        file_is_known,
    }
}

/// The weakest layer.
pub(super) fn defaults() -> Layer {
    let with_default = KEYS.iter().filter_map(|key| Some((key.name, key.default?)));
    texts(with_default, &Origin::Default)
}

fn texts<'a>(values: impl IntoIterator<Item = (&'a str, &'a str)>, origin: &Origin) -> Layer {
    let mut layer = Layer::default();
    for (name, text) in values {
        if let Some(key) = keys::find(name) {
            (key.read)(&mut layer, &Raw::Text(text.to_owned()), origin.clone());
        }
    }
    layer
}
