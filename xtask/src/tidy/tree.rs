//! The files that the rules look at: everything that git tracks or would track.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::code::{self, Language, Line};
use crate::workspace::{self, Package};

/// The tree as the rules see it.
#[derive(Debug)]
pub(crate) struct Tree {
    /// Absolute path of the workspace.
    pub(crate) root: PathBuf,
    /// Text files, in the order of their paths.
    pub(crate) sources: Vec<Source>,
    /// Packages of the workspace.
    pub(crate) packages: Vec<Package>,
}

/// One text file.
#[derive(Debug)]
pub(crate) struct Source {
    /// Path relative to the root, with `/`.
    pub(crate) path: String,
    /// What is in it.
    pub(crate) text: String,
    /// Its lines, with code and comments apart; empty for files that are no code.
    pub(crate) lines: Vec<Line>,
}

impl Tree {
    /// Reads the tree below `root`.
    pub(crate) fn load(root: &Path) -> Result<Self> {
        let output = Command::new("git")
            .current_dir(root)
            .args([
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .output()
            .context("cannot start `git ls-files`")?;
        if !output.status.success() {
            bail!("`git ls-files` failed: tidy needs a git checkout");
        }
        let listed = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
        let mut paths: Vec<&str> = listed.split_terminator('\0').collect();
        paths.sort_unstable();
        paths.dedup();

        // A tracked file may be deleted and a binary one is not text: neither is for these rules.
        let read = |path: &&str| {
            let text = std::fs::read_to_string(root.join(path)).ok()?;
            Some(Source::new(path, text))
        };
        Ok(Self {
            root: root.to_path_buf(),
            sources: paths.iter().filter_map(read).collect(),
            packages: workspace::packages(root)?,
        })
    }

    /// The file at exactly this path.
    pub(crate) fn source(&self, path: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.path == path)
    }

    /// Every file of Rust or TypeScript that people write.
    pub(crate) fn code(&self) -> impl Iterator<Item = &Source> {
        self.sources
            .iter()
            .filter(|source| source.language().is_some())
    }

    /// Every Rust file.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &Source> {
        self.sources
            .iter()
            .filter(|source| source.language() == Some(Language::Rust))
    }
}

impl Source {
    pub(crate) fn new(path: &str, text: String) -> Self {
        let lines = language(path).map(|language| code::lines(&text, language));
        Self {
            path: path.to_owned(),
            lines: lines.unwrap_or_default(),
            text,
        }
    }

    /// The language, if the file is code that people write.
    pub(crate) fn language(&self) -> Option<Language> {
        language(&self.path)
    }

    /// Lines with their numbers, counted from 1.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (usize, &Line)> {
        (1..).zip(&self.lines)
    }

    /// Lines of tests with their numbers: all of a test file, else those after `#[cfg(test)]`.
    pub(crate) fn test_lines(&self) -> impl Iterator<Item = (usize, &Line)> {
        let first = if self.is_test_file() {
            0
        } else {
            let inline = |line: &Line| line.code.trim_start().starts_with("#[cfg(test)]");
            self.lines
                .iter()
                .position(inline)
                .unwrap_or(self.lines.len())
        };
        self.numbered().skip(first)
    }

    fn is_test_file(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let in_folder = |folder: &str| self.path.split('/').any(|part| part == folder);
        name == "tests.rs"
            || name.contains(".test.")
            || name.contains(".spec.")
            || ["test", "tests", "e2e", "tidings-testkit"]
                .into_iter()
                .any(in_folder)
    }
}

fn language(path: &str) -> Option<Language> {
    let generated = path.ends_with(".d.ts")
        || path.contains("generated.")
        || path
            .split('/')
            .any(|part| ["generated", "fixtures", "snapshots"].contains(&part));
    let (_, extension) = path.rsplit_once('.')?;
    match extension {
        _ if generated => None,
        "rs" => Some(Language::Rust),
        "ts" | "tsx" | "mjs" => Some(Language::TypeScript),
        _ => None,
    }
}

#[cfg(test)]
impl Tree {
    /// A tree of these files, for the tests of the rules.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let source = |(path, text): &(&str, &str)| Source::new(path, (*text).to_owned());
        Self {
            root: PathBuf::from("/srv/checkouts/tidings"),
            sources: files.iter().map(source).collect(),
            packages: Vec::new(),
        }
    }
}
