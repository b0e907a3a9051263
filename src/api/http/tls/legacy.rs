//! TLS by OpenSSL, for appliances with none but ciphers that rustls does not speak. What it cannot hold has been
//! refused with the configuration: a pin, another name, a certificate of ours.

use reqwest::tls::{Certificate, TlsInfo, Version};

use crate::api::http::certificate::Facts;
use crate::api::{Cause, Event, Failure, Listener, Reason};
use crate::config::{Anchor, Trust};

/// Configuration of OpenSSL, and the listener that receives the certificates it accepts.
#[derive(Debug)]
pub(in crate::api) struct Legacy {
    anchor: Anchor,
    listener: Listener,
}

impl Legacy {
    pub(in crate::api) fn new(trust: &Trust, listener: Listener) -> Self {
        Self { anchor: trust.anchor.clone(), listener }
    }

    /// `builder` with OpenSSL in it.
    ///
    /// # Errors
    /// When a certificate of the anchor cannot be used.
    pub(in crate::api) fn fit(&self, builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder, Failure> {
        let builder = builder.tls_backend_native().tls_version_min(Version::TLS_1_2).tls_info(true);
        match &self.anchor {
            Anchor::System => Ok(builder),
            Anchor::File(certificates) => {
                let known: Result<Vec<_>, _> = certificates.iter().map(|known| Certificate::from_der(known)).collect();
                let unusable = |_| Failure::new(Reason::Tls, "OpenSSL cannot load a certificate from `tls.ca_file`");
                Ok(builder.tls_certs_only(known.map_err(unusable)?))
            }
            Anchor::Nothing => Ok(builder.tls_danger_accept_invalid_certs(true)),
            // Never taken for `System`: the configuration has refused it, and a pin must not be forgotten.
            Anchor::Fingerprint(_) => Err(Failure::new(Reason::Tls, "`tls.legacy` does not support a fingerprint")),
        }
    }

    /// Notifies the listener of the certificate behind an answer. Behind a proxy it is not known.
    pub(in crate::api) fn observe(&self, response: &reqwest::Response) {
        let shown = response.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate);
        if let Some(certificate) = shown {
            self.listener.notify(Event::CertificateExpires(Facts::of(certificate).not_after));
        }
    }

    /// The meaning of `words`, the chain of an error, if it comes from OpenSSL.
    pub(in crate::api) fn of(words: &str) -> Option<Failure> {
        // The type of the error is in a crate that is not named here; OpenSSL's own words begin so in every release.
        let (_, rest) = words.split_once("SSL routines:")?;
        Some(match rest.split_once("certificate verify failed") {
            Some((_, why)) => {
                let why = why.split_once(": ").map_or_else(String::new, |(_, why)| format!(" {}", why.trim()));
                let remedy =
                    "set `tls.ca_file` (that certificate or its authority's), and give the URL a name that is in it";
                Failure::new(Reason::Tls, format!("OpenSSL does not accept the certificate{why}"))
                    .caused_by(Cause::remedy(remedy))
            }
            None => {
                let rest = rest.trim_matches(':');
                Failure::new(Reason::Tls, format!("OpenSSL cannot negotiate TLS with the appliance ({rest})"))
            }
        })
    }
}
