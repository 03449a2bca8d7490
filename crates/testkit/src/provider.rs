//! Imitations of providers' APIs on loopback, as small as what is asked of them: Stripe's list of
//! events, GitHub's list of a webhook's deliveries, Resend's list of a webhook's events. They refuse
//! what the real ones refuse: a wrong key, unknown parameters, cursors that lead nowhere.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

/// Entries of a page at most, as with all three.
const PAGE_MAX: usize = 100;

/// Whose API is imitated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Imitated {
    /// `GET /v1/events`.
    Stripe,
    /// `GET /repos/acme/shop/hooks/7/deliveries`.
    GitHub,
    /// `GET /webhooks/h-1/events`.
    Resend,
}

/// Something that happened at the provider's.
#[derive(Debug, Clone)]
pub struct Happening {
    /// The id that its webhook has as well.
    pub id: String,
    /// Its type.
    pub event_type: String,
    /// When, in seconds since 1970.
    pub at_s: u64,
    /// What its webhook has for a body.
    pub body: Value,
    /// Whether the provider believes that its webhook came.
    pub delivered: bool,
}

impl Happening {
    /// The headers that its webhook has, signed with this secret at this time.
    pub fn webhook_headers(&self, imitated: Imitated, secret: &str, at_s: u64) -> Vec<(&'static str, String)> {
        let body = self.body.to_string();
        let code = |text: &str| {
            let bytes = hmac_sha256::HMAC::mac(text.as_bytes(), secret.as_bytes());
            bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        };
        match imitated {
            Imitated::Stripe => {
                vec![("stripe-signature", format!("t={at_s},v1={}", code(&format!("{at_s}.{body}"))))]
            }
            Imitated::GitHub => vec![
                ("x-hub-signature-256", format!("sha256={}", code(&body))),
                ("x-github-delivery", self.id.clone()),
                ("x-github-event", self.event_type.clone()),
            ],
            Imitated::Resend => {
                let library = standardwebhooks::Webhook::new(secret).expect("a secret");
                let time = i64::try_from(at_s).expect("seconds fit");
                let signature = library.sign(&self.id, time, body.as_bytes()).expect("a signature");
                vec![("svix-id", self.id.clone()), ("svix-timestamp", at_s.to_string()), ("svix-signature", signature)]
            }
        }
    }
}

/// An answer in place of the usual one.
#[derive(Debug, Clone)]
pub enum Instead {
    /// This status, with this header and body.
    Answer(u16, Option<(&'static str, &'static str)>, &'static str),
    /// None: the connection stays open, and nothing comes.
    Silence,
}

/// A provider's API. Ends with this value.
#[derive(Debug)]
pub struct ProviderApi {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    imitated: Imitated,
    key: String,
    /// Oldest first.
    happenings: Vec<Happening>,
    asked: Vec<String>,
    /// How many questions are answered as usual before each of these.
    instead: VecDeque<(usize, Instead)>,
}

type Answer = (u16, Option<(&'static str, String)>, String);

impl ProviderApi {
    /// An API on a free port that wants this key.
    pub async fn start(imitated: Imitated, key: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let state = State {
            imitated,
            key: key.to_owned(),
            happenings: Vec::new(),
            asked: Vec::new(),
            instead: VecDeque::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                let service = service_fn(move |request| answer(request, Arc::clone(&state)));
                // A connection that breaks is whoever asked's to notice.
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, state, accepting }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Something happens; later than everything before.
    pub fn happens(&self, happening: Happening) {
        self.state().happenings.push(happening);
    }

    /// After so many questions that are answered as usual, one is answered like this.
    pub fn answer_after(&self, questions: usize, instead: Instead) {
        self.state().instead.push_back((questions, instead));
    }

    /// What was asked so far: paths with their parameters.
    pub fn asked(&self) -> Vec<String> {
        self.state().asked.clone()
    }

    /// Wants another key from now on.
    pub fn change_key(&self, key: &str) {
        key.clone_into(&mut self.state().key);
    }
}

impl Drop for ProviderApi {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn answer(request: Request<Incoming>, state: Arc<Mutex<State>>) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let (status, header, body) = match react(&request, &state) {
        Ok(answer) => answer,
        Err(Silent) => std::future::pending().await,
    };
    let mut response = Response::builder().status(status).header("content-type", "application/json");
    if let Some((name, value)) = header {
        response = response.header(name, value);
    }
    Ok(response.body(Full::from(body)).expect("an answer"))
}

struct Silent;

fn react(request: &Request<Incoming>, state: &Mutex<State>) -> Result<Answer, Silent> {
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    state.asked.push(request.uri().path_and_query().map(ToString::to_string).unwrap_or_default());
    match state.instead.front_mut() {
        Some((0, _)) => {
            let instead = state.instead.pop_front().map(|(_, instead)| instead);
            match instead {
                Some(Instead::Answer(status, header, body)) => {
                    let header = header.map(|(name, value)| (name, value.to_owned()));
                    return Ok((status, header, body.to_owned()));
                }
                _ => return Err(Silent),
            }
        }
        Some((left, _)) => *left -= 1,
        None => {}
    }
    let bearer = format!("Bearer {}", state.key);
    if header(request.headers(), "authorization") != Some(&bearer) {
        return Ok((401, None, json!({"message": "Bad credentials"}).to_string()));
    }
    if request.method() != "GET" || header(request.headers(), "user-agent").is_none() {
        return Ok((403, None, json!({"message": "GET, with a User-Agent"}).to_string()));
    }
    let host = header(request.headers(), "host").unwrap_or_default();
    let parameters = parameters(request.uri().query().unwrap_or_default());
    Ok(state.imitate(host, request.uri().path(), &parameters))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn parameters(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| text.replace("%5B", "[").replace("%5D", "]").replace("%3A", ":");
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

fn bad(why: &str) -> Answer {
    (400, None, json!({"message": why}).to_string())
}

impl State {
    fn imitate(&self, host: &str, path: &str, parameters: &[(String, String)]) -> Answer {
        let (list, known): (&str, &[&str]) = match self.imitated {
            Imitated::Stripe => {
                ("/v1/events", &["limit", "created[gte]", "starting_after", "types[]", "delivery_success"])
            }
            Imitated::GitHub => ("/repos/acme/shop/hooks/7/deliveries", &["per_page", "cursor"]),
            Imitated::Resend => ("/webhooks/h-1/events", &["limit", "after"]),
        };
        if let Some((name, _)) = parameters.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            return bad(&format!("unknown parameter {name}"));
        }
        match path.strip_prefix(list) {
            Some("") => self.list(host, list, parameters),
            Some(one) => match self.one(one.trim_start_matches('/')) {
                Some(body) => (200, None, body.to_string()),
                None => (404, None, json!({"message": "Not Found"}).to_string()),
            },
            None => (404, None, json!({"message": "Not Found"}).to_string()),
        }
    }

    /// The place of something is GitHub's id of its delivery.
    fn one(&self, key: &str) -> Option<Value> {
        let place = match self.imitated {
            Imitated::GitHub => key.parse::<usize>().ok()?.checked_sub(1_000)?,
            _ => self.happenings.iter().position(|it| it.id == key)?,
        };
        let it = self.happenings.get(place)?;
        Some(match self.imitated {
            Imitated::Stripe => it.body.clone(),
            Imitated::GitHub => {
                let mut whole = self.entry(place);
                whole["request"] = json!({
                    "headers": {"X-GitHub-Delivery": it.id, "X-GitHub-Event": it.event_type, "X-Hub-Signature-256": "sha256=0"},
                    "payload": it.body,
                });
                whole["response"] = json!({"headers": {}, "payload": null});
                whole
            }
            Imitated::Resend => {
                let mut whole = self.entry(place);
                whole["object"] = json!("webhook_event");
                whole["payload"] = it.body.clone();
                whole
            }
        })
    }

    fn entry(&self, place: usize) -> Value {
        let it = &self.happenings[place];
        let at = rfc3339(it.at_s);
        match self.imitated {
            Imitated::Stripe => it.body.clone(),
            Imitated::GitHub => json!({
                "id": place + 1_000, "guid": it.id, "delivered_at": at, "redelivery": false, "duration": 0.1,
                "status": if it.delivered { "OK" } else { "failed to connect" },
                "status_code": if it.delivered { 200 } else { 502 },
                "event": it.event_type, "action": null, "installation_id": null, "repository_id": 1,
            }),
            Imitated::Resend => json!({
                "id": it.id, "type": it.event_type, "created_at": at,
                "status": if it.delivered { "success" } else { "failed" }, "next_attempt_at": null,
            }),
        }
    }

    fn list(&self, host: &str, list: &str, parameters: &[(String, String)]) -> Answer {
        let given = |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let size = given("limit").or(given("per_page")).and_then(|size| size.parse().ok()).unwrap_or(20);
        if !(1..=PAGE_MAX).contains(&size) {
            return bad("a page has 1 to 100 entries");
        }
        let cursor = given("starting_after").or(given("after")).or(given("cursor"));
        let cursor = cursor.map(|cursor| match self.imitated {
            Imitated::GitHub => cursor.strip_prefix("v1_").and_then(|place| place.parse().ok()),
            _ => self.happenings.iter().position(|it| it.id == cursor),
        });
        let before = match cursor {
            None => self.happenings.len(),
            Some(Some(place)) => place,
            Some(None) => return bad("no such cursor"),
        };
        let since: u64 = given("created[gte]").and_then(|text| text.parse().ok()).unwrap_or(0);
        let types: Vec<_> = parameters.iter().filter(|(name, _)| name == "types[]").map(|(_, it)| it).collect();
        let undelivered = given("delivery_success") == Some("false");
        let fits = |place: &usize| {
            let it = &self.happenings[*place];
            it.at_s >= since && (types.is_empty() || types.contains(&&it.event_type)) && !(undelivered && it.delivered)
        };
        let places: Vec<_> = (0..before).rev().filter(fits).collect();
        let page = &places[..places.len().min(size)];
        let entries: Vec<_> = page.iter().map(|place| self.entry(*place)).collect();
        let has_more = places.len() > size;
        match (self.imitated, page.last()) {
            (Imitated::GitHub, Some(last)) if has_more => {
                let next = format!("<http://{host}{list}?per_page={size}&cursor=v1_{last}>; rel=\"next\"");
                (200, Some(("link", next)), json!(entries).to_string())
            }
            (Imitated::GitHub, _) => (200, None, json!(entries).to_string()),
            _ => (200, None, json!({"object": "list", "has_more": has_more, "data": entries}).to_string()),
        }
    }
}

/// Days and seconds as RFC 3339 writes them; by the algorithm for civil days, so that no clock of
/// the server's is asked.
fn rfc3339(at_s: u64) -> String {
    let (days, second) = (at_s / 86_400, at_s % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_shifted + 2) / 5 + 1;
    let month = if month_shifted < 10 { month_shifted + 3 } else { month_shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::rfc3339;

    #[test]
    fn times_are_written_as_calendars_have_them() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(rfc3339(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(1_767_225_600), "2026-01-01T00:00:00Z");
    }
}
