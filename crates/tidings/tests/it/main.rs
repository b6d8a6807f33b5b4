//! The program from outside.

mod check_config;
mod files;
mod help;
mod program;
mod secrets;
mod settings;
mod token;
mod torture;
