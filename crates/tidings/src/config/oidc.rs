//! The provider of identities that people may sign in by.

use tidings_domain::{
    account::{Role, is_domain},
    secret::Secret,
};
use url::Url;

use super::{
    ConfigError, OidcConfig,
    resolve::{Reader, Refused, refused},
};

impl Reader<'_> {
    /// Three settings belong together; the others mean nothing without them.
    pub(super) fn oidc(&mut self) -> Option<OidcConfig> {
        let issuer = self.one("oidc_issuer", parse_issuer);
        let client_id = self.one("oidc_client_id", |text| Ok(text.to_owned()));
        let client_secret = self.one("oidc_client_secret", |text| {
            Secret::parse(text).map_err(|reason| (reason.to_string(), "copy it from the provider".to_owned()))
        });
        let domains = self.many("oidc_domains", parse_domain);
        let role = self.one("oidc_role", parse_role);
        match (issuer, client_id, client_secret) {
            (Some(issuer), Some(client_id), Some(client_secret)) => {
                Some(OidcConfig { issuer, client_id, client_secret, domains, role })
            }
            _ => {
                const NEEDED: [&str; 3] = ["oidc_issuer", "oidc_client_id", "oidc_client_secret"];
                const ALL: [&str; 5] =
                    ["oidc_issuer", "oidc_client_id", "oidc_client_secret", "oidc_domains", "oidc_role"];
                let missing: Vec<_> = NEEDED.into_iter().filter(|name| !self.given.contains_key(name)).collect();
                if let (Some(given), false) = (ALL.iter().find_map(|name| self.given.get(name)), missing.is_empty()) {
                    let reason = format!("signing in by a provider needs {} as well", missing.join(" and "));
                    let way_out = "give issuer, client id and client secret, or none of them";
                    self.errors.push(ConfigError::new(&given.source, reason, way_out));
                }
                None
            }
        }
    }
}

/// OpenID Connect asks for https; a provider on this machine, behind no wire, may do without.
fn parse_issuer(text: &str) -> Result<String, Refused> {
    let way_out = "write it as the provider itself does, such as https://id.example.com or \
                   https://login.example.com/tenant/v2.0";
    let url = Url::parse(text).ok().filter(|url| url.has_host() && url.query().is_none() && url.fragment().is_none());
    let is_local = |url: &Url| match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    match url {
        Some(url) if url.scheme() == "https" || (url.scheme() == "http" && is_local(&url)) => Ok(text.to_owned()),
        _ => refused(format!("{text:?} is no https address of a provider"), way_out),
    }
}

fn parse_domain(text: &str) -> Result<String, Refused> {
    let domain = text.to_ascii_lowercase();
    match is_domain(&domain) {
        true => Ok(domain),
        false => refused(format!("{text:?} is no domain"), "write what stands behind the @, such as example.com"),
    }
}

fn parse_role(text: &str) -> Result<Role, Refused> {
    let role: Role = text.parse().map_err(|reason| (reason, "name one of them, or leave it out".to_owned()))?;
    match role {
        Role::Owner => refused("newcomers cannot be owners", "choose admin, developer or viewer"),
        role => Ok(role),
    }
}
