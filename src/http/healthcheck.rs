//! Asks a daemon of ours how it is, as a container's health check does: one request, one connection. The only client
//! here; must never be pointed at an appliance.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Url;

/// Bytes of an answer that are read; the daemon's own is under one KiB.
const LONGEST_RESPONSE: u64 = 16 * 1024;

/// The response of a daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthResponse {
    /// The HTTP status.
    pub status: u16,
    /// The body's first line.
    pub first_line: String,
}

/// Why there is no answer; the source says what happened.
#[derive(Debug, thiserror::Error)]
#[error("no answer from {url}")]
pub struct HealthError {
    url: Url,
    source: io::Error,
}

/// Asks for `url`, `http` or `https`. Certificates are not verified: nothing secret is sent, and the one asked is on
/// the same machine, where its certificate names another host.
///
/// # Errors
/// When nobody answers there, or not with HTTP.
///
/// # Cancel safety
/// Dropping the future closes the connection.
pub async fn request_health(url: &Url) -> Result<HealthResponse, HealthError> {
    exchange(url).await.map_err(|source| HealthError { url: url.clone(), source })
}

async fn exchange(url: &Url) -> io::Result<HealthResponse> {
    let host = url.host_str().ok_or_else(|| invalid("it has no host"))?;
    let port = url.port_or_known_default().ok_or_else(|| invalid("it has no port"))?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((bare, port)).await?;
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let request = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\nUser-Agent: asyncos_exporter\r\n\r\n");
    match url.scheme() {
        "http" => converse(stream, &request).await,
        "https" => {
            let name = ServerName::try_from(bare.to_owned()).map_err(invalid)?;
            converse(connector().map_err(invalid)?.connect(name, stream).await?, &request).await
        }
        _ => Err(invalid("it begins neither with `http://` nor with `https://`")),
    }
}

async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> io::Result<HealthResponse> {
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut answer = Vec::new();
    stream.take(LONGEST_RESPONSE).read_to_end(&mut answer).await?;
    parse(&String::from_utf8_lossy(&answer)).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no HTTP"))
}

fn parse(answer: &str) -> Option<HealthResponse> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    Some(HealthResponse { status, first_line: body.lines().next().unwrap_or_default().to_owned() })
}

fn invalid(why: impl fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why.to_string())
}

fn connector() -> Result<TlsConnector, Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier = AnyCertificate(provider.signature_verification_algorithms);
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Takes any certificate whose key the server has.
#[derive(Debug)]
struct AnyCertificate(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_status_and_a_first_line() {
        let answer = |text| parse(text).map(|HealthResponse { status, first_line }| (status, first_line));
        assert_eq!(answer("HTTP/1.0 200 OK\r\na: b\r\n\r\nhealthy\n"), Some((200, "healthy".into())));
        assert_eq!(answer("HTTP/1.1 503 \r\n\r\n"), Some((503, String::new())));
        for no_http in ["", "HTTP/1.0 200 OK\r\n", "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.0 OK\r\n\r\n"] {
            assert_eq!(answer(no_http), None, "{no_http}");
        }
    }
}
