//! The program from outside.

mod asking;
mod bench;
mod check_config;
mod credentials;
mod explain;
mod files;
mod help;
#[cfg(target_os = "linux")]
mod hostile;
mod hub;
mod key;
mod leaks;
mod profiles;
mod program;
mod publish;
mod publish_file;
mod reaches;
mod reload;
mod revoke;
mod rules;
mod running;
mod secrets;
mod serve;
mod settings;
mod sources;
mod tail;
mod tls;
mod token;
mod torture;
mod traces;
