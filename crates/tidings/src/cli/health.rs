//! `tidings health`: whether the hub of these settings is alive, for supervisors that run commands.

use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error,
    SignatureScheme, StreamOwned,
};

use super::failure::Failure;
use super::limits::{HEALTH_BYTES_MAX, HEALTH_STEP};
use crate::settings::{Environment, Layer, Sources, gather};

/// Asks the hub of these settings on this machine whether it is alive; exit code 0 if it is.
#[derive(Debug, Args)]
pub(super) struct Health {
    /// Asks whether it takes events and connections, which it does not while it drains or its disk
    /// is full.
    #[arg(long)]
    ready: bool,

    /// Settings file; without it, `tidings.toml` in the working directory if it is there.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Health {
    pub(super) fn run(self) -> anyhow::Result<()> {
        // Where the hub listens, and nothing else: that a file has been broken since is no ailment of
        // the hub that runs.
        let gathered = gather(Sources {
            config: self.config,
            environment: &Environment::of_process(),
            flags: Layer::default(),
            development: false,
        });
        let layer = gathered.layer;
        let listen = layer.listen.context("the settings name no address")?;
        let address = reachable(listen.value);
        let certificate = layer.tls_certificate.map(|file| file.value);
        let path = if self.ready { "/readyz" } else { "/healthz" };
        let answer = ask(address, path, certificate.as_deref()).map_err(|error| {
            Failure::new(format!("the hub on `{address}` does not answer: {error:#}")).hint(
                "does it run, and with these settings? Without `--config` they are those of this \
                 directory and the environment",
            )
        })?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        if head.starts_with("HTTP/1.1 200 ") {
            super::print(body.trim_end())?;
            return Ok(());
        }
        let status = head.lines().next().unwrap_or_default();
        let said = format!("the hub on `{address}` says: {status} {body}");
        Err(Failure::new(said.trim_end().to_owned()).into())
    }
}

/// Where a hub that listens there is found from this machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn ask(address: SocketAddr, path: &str, certificate: Option<&Path>) -> anyhow::Result<String> {
    let socket = TcpStream::connect_timeout(&address, HEALTH_STEP)?;
    socket.set_read_timeout(Some(HEALTH_STEP))?;
    socket.set_write_timeout(Some(HEALTH_STEP))?;
    let Some(file) = certificate else {
        return exchange(socket, address, path);
    };
    let name = ServerName::IpAddress(address.ip().into());
    let connection = ClientConnection::new(Arc::new(pinned(file)?), name)?;
    exchange(StreamOwned::new(connection, socket), address, path)
}

fn exchange(
    mut stream: impl Read + Write,
    address: SocketAddr,
    path: &str,
) -> anyhow::Result<String> {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    stream.flush()?;
    let mut answer = String::new();
    stream.take(HEALTH_BYTES_MAX).read_to_string(&mut answer)?;
    Ok(answer)
}

/// A client that believes the certificate of a file, whatever names it holds: here the hub is called by
/// its address.
fn pinned(file: &Path) -> anyhow::Result<ClientConfig> {
    let read = || format!("cannot use the certificate `{}`", file.display());
    let pem = fs::read(file).with_context(read)?;
    let certificate = CertificateDer::from_pem_slice(&pem).with_context(read)?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let pinned = Pinned {
        certificate,
        provider: Arc::clone(&provider),
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(pinned));
    Ok(config.with_no_client_auth())
}

/// Believes one certificate, whose key the peer must have.
#[derive(Debug)]
struct Pinned {
    certificate: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if *shown == self.certificate {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::UnknownIssuer.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, shown, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, shown, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hub_that_listens_everywhere_is_found_here() {
        for (listen, found) in [
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:80", "[::1]:80"),
            ("192.0.2.1:80", "192.0.2.1:80"),
        ] {
            let listen = listen.parse().expect("an address");
            assert_eq!(reachable(listen).to_string(), found);
        }
    }
}
