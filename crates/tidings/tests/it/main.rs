//! The program from outside.

mod bench;
mod check_config;
mod files;
mod help;
#[cfg(target_os = "linux")]
mod hostile;
mod hub;
mod key;
mod program;
mod publish;
mod publish_file;
mod revoke;
mod running;
mod secrets;
mod serve;
mod settings;
mod tail;
mod token;
mod torture;
