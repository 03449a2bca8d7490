//! Somebody who comes by.

use tidings_browser::Page;
use tidings_testkit::{Answer, Server};

use crate::{raw::Raw, seed::Seed};

/// The operator's account.
pub(crate) const EMAIL: &str = "operator@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Members of the seed's organization: name, address, role. All have the operator's password.
pub(crate) const MEMBERS: [(&str, &str, &str); 4] = [
    ("Owners", "owner@example.com", "owner"),
    ("Office", "admin@example.com", "admin"),
    ("Workshop", "developer@example.com", "developer"),
    ("Front desk", "viewer@example.com", "viewer"),
];

/// Accepts an invite, without a browser.
pub(crate) async fn accept(server: &Server, link: &str, name: &str) {
    let token = link.rsplit('/').next().expect("a link ends with its token");
    let form = [("name", name), ("password", PASSWORD)];
    let accepted = Raw::stranger(server).post(&format!("/invite/{token}"), &form).await;
    assert_eq!(accepted.status, 303, "{accepted}");
}

/// The id of a session of the operator's, as the account's page has it.
pub(crate) async fn own_session(seed: &Seed) -> String {
    let operator = raw(seed).await;
    // Another one, which can be ended from here.
    raw(seed).await;
    let page = operator.get("/settings/account").await;
    let text = String::from_utf8_lossy(&page.body).into_owned();
    let after = text.split_once("/settings/account/sessions/").unwrap_or_else(|| panic!("no sessions: {page}")).1;
    after.split('/').next().expect("an id").to_owned()
}

/// The link that the server printed at its first start.
///
/// # Panics
///
/// It printed none.
pub(crate) fn start_link(server: &Server) -> String {
    let said = server.said("open ").expect("a new server prints a link");
    said.split(' ').next().unwrap_or_default().to_owned()
}

/// Makes the operator's account, without a browser.
pub(crate) async fn make_operator(server: &Server) {
    let link = start_link(server);
    let token = link.split_once('#').expect("the link has a token").1;
    let form = [("token", token), ("email", EMAIL), ("password", PASSWORD)];
    let made = Raw::stranger(server).post("/start", &form).await;
    assert_eq!(made.status, 303, "{made}");
}

/// Signs in as the operator, in a browser.
pub(crate) async fn enter(page: &Page, seed: &Seed) {
    sign_in(page, EMAIL, PASSWORD).await;
    page.go(&seed.path("/p/{project}")).await;
}

/// Fills in the form for signing in, and waits until it has led somewhere.
pub(crate) async fn sign_in(page: &Page, email: &str, password: &str) {
    page.go("/login").await;
    page.fill("Email", email).await;
    page.fill("Password", password).await;
    page.push("Sign in").await;
    page.until("to be signed in", async || (!page.path().await.starts_with("/login")).then_some(())).await;
}

/// The operator, without a browser.
pub(crate) async fn raw(seed: &Seed) -> Raw {
    raw_as(seed, EMAIL).await
}

/// Somebody who has an account, without a browser; the project looked at last is the seed's.
pub(crate) async fn raw_as(seed: &Seed, email: &str) -> Raw {
    let mut visitor = Raw::stranger(&seed.server);
    let answer = visitor.post("/login", &[("email", email), ("password", PASSWORD)]).await;
    assert_eq!(answer.status, 303, "{answer}");
    visitor.keep_cookies(&answer);
    let looked = visitor.get(&format!("/p/{}", seed.id("project"))).await;
    visitor.keep_cookies(&looked);
    visitor
}

/// Signs in where the page to go to afterwards is this one.
pub(crate) async fn sign_in_to(seed: &Seed, next: &str) -> Answer {
    let form = [("email", EMAIL), ("password", PASSWORD), ("next", next)];
    Raw::stranger(&seed.server).post("/login", &form).await
}
