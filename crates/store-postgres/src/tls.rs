//! How a connection is encrypted, and with whom it is known to be, by what its URL says.

use std::{fs, os::unix::fs::PermissionsExt as _, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _},
    server::ParsedCertificate,
};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::OpenError;

/// What is known of whoever answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Checks {
    /// Nothing: who could answer in the server's place could as well say that it does not encrypt.
    Nothing,
    /// Its certificate is from an authority that is trusted.
    Authority,
    /// … and is for the name in the URL.
    Name,
}

/// What a URL says about encryption.
#[derive(Debug)]
pub(crate) struct Encryption {
    pub(crate) mode: SslMode,
    checks: Checks,
    authority: Option<String>,
    /// The client's own certificate, and its key.
    certificate: Option<String>,
    key: Option<String>,
}

impl Encryption {
    /// Takes what is about encryption out of a URL, and returns it with what is left.
    pub(crate) fn of(url: &str) -> Result<(Self, String), OpenError> {
        let (mode, checks) = (SslMode::Prefer, Checks::Nothing);
        let mut encryption = Self { mode, checks, authority: None, certificate: None, key: None };
        let Some((address, parameters)) = url.split_once('?') else { return Ok((encryption, url.to_owned())) };
        let mut rest = Vec::new();
        for parameter in parameters.split('&') {
            match parameter.split_once('=') {
                Some(("sslmode", mode)) => (encryption.mode, encryption.checks) = read_mode(mode)?,
                // With this libpq finds out by itself that a server encrypts; so does whoever asks it first.
                Some(("sslnegotiation", "postgres")) => {}
                Some((name @ "sslrootcert", path)) => encryption.authority = Some(decoded(name, path)?),
                Some((name @ "sslcert", path)) => encryption.certificate = Some(decoded(name, path)?),
                Some((name @ "sslkey", path)) => encryption.key = Some(decoded(name, path)?),
                _ => rest.push(parameter),
            }
        }
        let rest = match rest.is_empty() {
            true => address.to_owned(),
            false => format!("{address}?{}", rest.join("&")),
        };
        Ok((encryption, rest))
    }

    /// How connections are encrypted.
    pub(crate) fn connect(&self) -> Result<MakeRustlsConnect, OpenError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let said = |error: String| OpenError::Url(error);
        let known = self.known()?;
        let verifier = Verifier { checks: self.checks, known, inner: None, provider: Arc::clone(&provider) };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| said(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier.ready().map_err(said)?));
        let config = match self.own()? {
            None => config.with_no_client_auth(),
            Some((certificates, key)) => config.with_client_auth_cert(certificates, key).map_err(|error| {
                said(format!("sslcert and sslkey do not go together: {error}; name a certificate and its own key"))
            })?,
        };
        Ok(MakeRustlsConnect::new(config))
    }

    /// What this client shows, and what it proves it with.
    fn own(&self) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>, OpenError> {
        let (certificate, key) = match (&self.certificate, &self.key) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => (certificate, key),
            (Some(_), None) => return Err(OpenError::Url("sslcert is given without sslkey: name its key".to_owned())),
            (None, Some(_)) => {
                return Err(OpenError::Url("sslkey is given without sslcert: name its certificate".to_owned()));
            }
        };
        let certificates = certificates("sslcert", certificate, "name a file with the client's certificate, in PEM")?;
        let refused =
            |reason: String, way_out: &str| OpenError::Url(format!("sslkey={key} cannot be used: {reason}; {way_out}"));
        let (text, mode) = fs::read(key)
            .and_then(|text| Ok((text, fs::metadata(key)?.permissions().mode() & 0o777)))
            .map_err(|error| refused(error.to_string(), "name a file with the client's key, in PEM"))?;
        if mode & 0o007 != 0 {
            return Err(refused(format!("every user can read it (mode {mode:o})"), &format!("run: chmod 600 {key}")));
        }
        let read = PrivateKeyDer::from_pem_slice(&text);
        let key = read.map_err(|_| {
            refused("there is no key in it that needs no passphrase".to_owned(), "name one in PEM (PKCS#8)")
        })?;
        Ok(Some((certificates, key)))
    }

    /// The certificates of those who are trusted.
    fn known(&self) -> Result<Vec<CertificateDer<'static>>, OpenError> {
        let path = match self.authority.as_deref() {
            None | Some("system") => return Ok(rustls_native_certs::load_native_certs().certs),
            Some(path) => path,
        };
        certificates("sslrootcert", path, "name a file with the certificate of the authority, in PEM")
    }
}

/// All certificates in a file.
fn certificates(name: &str, path: &str, way_out: &str) -> Result<Vec<CertificateDer<'static>>, OpenError> {
    let refused = |reason: String| OpenError::Url(format!("{name}={path} cannot be used: {reason}; {way_out}"));
    let text = fs::read(path).map_err(|error| refused(error.to_string()))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(refused("there is no certificate in it".to_owned())),
        Err(error) => Err(refused(error.to_string())),
    }
}

fn read_mode(mode: &str) -> Result<(SslMode, Checks), OpenError> {
    Ok(match mode {
        "disable" => (SslMode::Disable, Checks::Nothing),
        "prefer" => (SslMode::Prefer, Checks::Nothing),
        "verify-ca" => (SslMode::Require, Checks::Authority),
        // Who asks for encryption means to know with whom.
        "require" | "verify-full" => (SslMode::Require, Checks::Name),
        other => {
            return Err(OpenError::Url(format!(
                "sslmode={other} is not known: write disable, prefer, require, verify-ca or verify-full"
            )));
        }
    })
}

/// A value with `%2F` and the like in it.
fn decoded(name: &str, text: &str) -> Result<String, OpenError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next(), rest.next()].map(|digit| digit.and_then(|digit| char::from(digit).to_digit(16)));
        let [Some(high), Some(low)] = digits else {
            return Err(OpenError::Url(format!("{name}={text} has a % without two hexadecimal digits")));
        };
        bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
    }
    String::from_utf8(bytes).map_err(|error| OpenError::Url(format!("{name}={text} is no text: {error}")))
}

/// Looks at a server's certificate.
#[derive(Debug)]
struct Verifier {
    checks: Checks,
    /// Certificates that are trusted. A server may have one of them itself: many sign their own.
    known: Vec<CertificateDer<'static>>,
    inner: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn ready(mut self) -> Result<Self, String> {
        if self.checks == Checks::Nothing {
            return Ok(self);
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(self.known.iter().cloned());
        let made = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider)).build();
        self.inner = Some(made.map_err(|error| format!("there are no authorities to trust: {error}"))?);
        Ok(self)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(inner) = &self.inner else { return Ok(ServerCertVerified::assertion()) };
        if self.known.iter().any(|known| known.as_ref() == end_entity.as_ref()) {
            if self.checks == Checks::Name {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            }
            // Its date is looked at first; that it has signed itself is no reason to refuse it.
            if let Err(
                error @ Error::InvalidCertificate(
                    CertificateError::Expired
                    | CertificateError::ExpiredContext { .. }
                    | CertificateError::NotValidYet
                    | CertificateError::NotValidYetContext { .. },
                ),
            ) = inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            {
                return Err(error);
            }
            return Ok(ServerCertVerified::assertion());
        }
        match inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.checks == Checks::Authority => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_how_a_connection_is_encrypted() {
        let of = |url: &str| Encryption::of(url).map(|(found, rest)| (found.mode, found.checks, found.authority, rest));
        let address = "postgres://u@h/d".to_owned();
        let expected = [
            ("", SslMode::Prefer, Checks::Nothing),
            ("?sslmode=disable", SslMode::Disable, Checks::Nothing),
            ("?sslmode=require", SslMode::Require, Checks::Name),
            ("?sslmode=verify-ca", SslMode::Require, Checks::Authority),
            ("?sslmode=verify-full", SslMode::Require, Checks::Name),
        ];
        for (parameters, mode, checks) in expected {
            let found = of(&format!("{address}{parameters}")).expect("known");
            assert_eq!(found, (mode, checks, None, address.clone()), "{parameters}");
        }
        let (_, _, authority, rest) = of("postgres://h/d?a=b&sslrootcert=%2Fx%20y.pem&c=d").expect("known");
        assert_eq!((authority.as_deref(), &*rest), (Some("/x y.pem"), "postgres://h/d?a=b&c=d"));
        for wrong in ["sslmode=allow", "sslmode=", "sslrootcert=%2", "sslkey=%zz"] {
            let refused = Encryption::of(&format!("{address}?{wrong}")).expect_err("it is refused").to_string();
            assert!(refused.contains(wrong), "{refused}");
        }
    }
}
