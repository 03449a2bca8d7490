//! Why a database cannot be used, and the way out, in words for whoever starts a server.

use std::{error::Error as StdError, io};

use deadpool_postgres::PoolError;
use rustls::CertificateError;
use tokio_postgres::{
    Config,
    config::{Host, SslMode},
    error::SqlState,
};

use crate::error::{chain, no_connection};

/// Why there is no connection.
pub(crate) fn no_connection_because(error: PoolError, config: &Config) -> String {
    let at = place(config);
    let reason = match &error {
        PoolError::Backend(error) => reason(error, config),
        PoolError::Timeout(_) => format!("{at} does not answer; see that it runs and that no firewall is between"),
        _ => no_connection(error).to_string(),
    };
    // One that names what it is about needs no more.
    if reason.contains(&at) { reason } else { format!("{at}: {reason}") }
}

/// The reason, and what can be done.
pub(crate) fn reason(error: &tokio_postgres::Error, config: &Config) -> String {
    if let Some(said) = error.as_db_error() {
        return format!("{}; {}", said.message(), way_out(said.code(), config));
    }
    if let Some(refusal) = tls_error(error) {
        return refused_certificate(refusal, config);
    }
    let text = chain(error);
    let at = place(config);
    if text.contains("server does not support TLS") {
        return format!(
            "{at} does not encrypt, and the URL demands it; set ssl = on there, or write sslmode=disable where nobody \
             can listen"
        );
    }
    if text.contains("password missing") {
        return format!(
            "{at} demands a password, and the URL has none; write it there: postgres://{user}:PASSWORD@…, with %40 for \
             @ and the like (PGPASSWORD and ~/.pgpass are not read)",
            user = config.get_user().unwrap_or("user")
        );
    }
    if text.contains("Connection refused") || text.contains("No such file or directory") {
        return format!("nobody listens at {at}; see that PostgreSQL runs there, and that host and port are right");
    }
    if config.get_ssl_mode() == SslMode::Prefer && text.contains("TLS") {
        return format!("{text}; write sslmode=disable to do without encryption");
    }
    format!("{text}; see that PostgreSQL runs at {at}, and that the URL leads there")
}

/// What can be done about what PostgreSQL refuses.
fn way_out(code: &SqlState, config: &Config) -> String {
    let user = config.get_user().unwrap_or("the user");
    let database = config.get_dbname().unwrap_or(user);
    match *code {
        SqlState::INVALID_PASSWORD => {
            format!("correct the password of {user} in the URL, with %40 for @ and the like, or set it there anew")
        }
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            format!(
                "see that there is a role {user}, and that pg_hba.conf lets it in from here; where it demands a \
                 certificate, name one in the URL: sslcert=FILE&sslkey=FILE"
            )
        }
        SqlState::INVALID_CATALOG_NAME => format!("make it with: createdb -O {user} {database}"),
        SqlState::INSUFFICIENT_PRIVILEGE => format!(
            "as its owner or a superuser: GRANT CONNECT, CREATE ON DATABASE \"{database}\" TO \"{user}\"; GRANT USAGE, \
             CREATE ON SCHEMA public TO \"{user}\" (tables that somebody else has made have to belong to it)"
        ),
        SqlState::TOO_MANY_CONNECTIONS => {
            "raise max_connections there, or lower --database-connections: each node takes so many and 3 more"
                .to_owned()
        }
        SqlState::CANNOT_CONNECT_NOW => "it starts or stops: try again in a moment".to_owned(),
        _ => format!("see PostgreSQL's log at {}", place(config)),
    }
}

/// Why a certificate was not taken.
fn refused_certificate(error: &rustls::Error, config: &Config) -> String {
    let at = place(config);
    let why = match error {
        rustls::Error::InvalidCertificate(why) => why,
        // An alert is what the other side says.
        rustls::Error::AlertReceived(_) => {
            return format!(
                "{at} does not take the client's certificate ({error}); name one from an authority in its ssl_ca_file \
                 in the URL: sslcert=FILE&sslkey=FILE"
            );
        }
        _ => return format!("{at} and this program cannot agree on encryption: {error}"),
    };
    match why {
        // An authority of the same name with another key is another authority.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => format!(
            "the certificate of {at} is from nobody who is trusted here; name the certificate of its authority in the \
             URL: sslrootcert=FILE"
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => format!(
            "the certificate of {at} is for another name ({error}); write the name that it is for, or \
             sslmode=verify-ca to take any name from the same authority"
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("the certificate of {at} has expired; give the server a new one")
        }
        _ => format!("the certificate of {at} is not good: {error}; give the server one that is for servers"),
    }
}

/// What an error of the encryption is in its own words.
fn tls_error(error: &tokio_postgres::Error) -> Option<&rustls::Error> {
    let mut next = StdError::source(error);
    while let Some(source) = next {
        if let Some(found) = source.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            return found.downcast_ref();
        }
        next = source.source();
    }
    None
}

/// Where the database is.
fn place(config: &Config) -> String {
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(number, host)| match host {
        Host::Tcp(name) => format!("{name}:{}", ports.get(number).or(ports.first()).unwrap_or(&5432)),
        Host::Unix(path) => path.display().to_string(),
    });
    hosts.collect::<Vec<_>>().join(", ")
}
