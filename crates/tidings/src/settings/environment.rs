//! Settings from the environment: names follow from the keys, and an unknown own name is a fault.

use std::collections::BTreeMap;
use std::fmt;

use crate::env_vars::{FOREIGN, OWN, PREFIX};

use super::combine::Combine;
use super::fault::{Fault, Faults};
use super::keys::{self, KEYS, Key, Layer};
use super::origin::Origin;
use super::suggest;
use super::value::Raw;

/// The environment variables of a process, as a value: nothing else reads the environment.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, Option<String>>);

impl Environment {
    /// The variables of this process.
    pub fn of_process() -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok())));
        Self(variables.collect())
    }

    /// These variables.
    pub fn new<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let owned = variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Some(value.to_owned())));
        Self(owned.collect())
    }

    /// The value of a variable. An empty one counts as absent, because that is how compose files
    /// and CI systems pass on what they do not have.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)?
            .as_deref()
            .filter(|value| !value.is_empty())
    }

    /// What the environment says.
    pub(super) fn layer(&self, faults: &mut Faults) -> Layer {
        self.own(faults).combine(self.foreign())
    }

    fn own(&self, faults: &mut Faults) -> Layer {
        let mut layer = Layer::default();
        let variables: BTreeMap<String, &Key> =
            KEYS.iter().map(|key| (key.variable(), key)).collect();
        for (name, value) in &self.0 {
            if !name.starts_with(PREFIX) || OWN.contains(&name.as_str()) {
                continue;
            }
            let origin = Origin::Environment(name.clone());
            let Some(key) = variables.get(name) else {
                let known = variables.keys().map(String::as_str).chain(OWN);
                faults.0.push(Fault {
                    key: None,
                    message: format!("unknown environment variable `{name}`"),
                    hint: Some(suggest::hint(name, known)),
                    origin,
                });
                continue;
            };
            match value {
                Some(text) if text.is_empty() => {}
                Some(text) => read(&mut layer, key, &Raw::Text(text.clone()), origin, faults),
                None => faults.add(
                    key.name,
                    origin,
                    format!("the value of `{}` is not UTF-8", key.name),
                    format!("give {}", key.expected),
                ),
            }
        }
        layer
    }

    fn foreign(&self) -> Layer {
        FOREIGN
            .into_iter()
            .map(|(name, key)| {
                let mut layer = Layer::default();
                if let (Some(text), Some(key)) = (self.get(name), keys::find(key)) {
                    (key.read)(
                        &mut layer,
                        &Raw::Text(text.to_owned()),
                        Origin::Foreign(name),
                    );
                }
                layer
            })
            .fold(Layer::default(), Combine::combine)
    }
}

/// Reads one value into a layer, or notes what was expected.
pub(super) fn read(layer: &mut Layer, key: &Key, raw: &Raw, origin: Origin, faults: &mut Faults) {
    if (key.read)(layer, raw, origin.clone()) {
        return;
    }
    let found = if key.secret {
        String::new()
    } else {
        format!(": {raw}")
    };
    let message = format!("the value of `{}` is not {}{found}", key.name, key.expected);
    faults.0.push(Fault {
        key: Some(key.name),
        message,
        origin,
        hint: key
            .default
            .map(|default| format!("leave it out for the default, `{default}`")),
    });
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values of the environment are secrets until proven otherwise.
        f.debug_set().entries(self.0.keys()).finish()
    }
}
