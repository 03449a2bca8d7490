//! Members and their ways in, each in a browser of their own: an invite, another role, a removal that ends the session;
//! and signing in by a provider of identities.

use serde_json::json;
use tidings_browser::Page;
use tidings_testkit::{CLIENT_ID, CLIENT_SECRET, IdentityProvider, Server, operator};

use crate::{
    seed::{FEW, Seed, text},
    visitor::{self, PASSWORD},
};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const ADA: &str = "ada@example.com";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn somebody_is_invited_gets_another_role_and_is_removed() {
    let seed = Seed::plant(FEW).await;
    let base = format!("http://{}", seed.server.address());
    let page = Page::start(&base).await;
    visitor::enter(&page, &seed).await;
    page.go("/settings/members").await;
    page.fill("Email", ADA).await;
    page.choose("Role", "Viewer: looks at everything but secrets and keys").await;
    page.push("Make an invite link").await;
    page.sees("/invite/").await;
    let link = page.run("return document.body.innerText.match(/http:\\S+\\/invite\\/\\S+/)[0]").await;
    let link = link.as_str().expect("a link").to_owned();

    // She comes in a browser of her own.
    let ada = Page::start(&base).await;
    ada.go(&link).await;
    ada.sees(ADA).await;
    ada.fill("Your name", "Ada").await;
    ada.fill("Password", PASSWORD).await;
    ada.push("Create account and accept").await;
    ada.until("to be in", async || (!ada.path().await.starts_with("/invite")).then_some(())).await;
    let webhook = seed.path("/p/{project}/webhooks/{healthy}");
    ada.go(&webhook).await;
    assert_eq!(pause(&ada).await, "disabled", "a viewer pauses nothing");
    // The link is good once.
    let late = Page::start(&base).await;
    late.go(&link).await;
    late.sees("This invite is no longer good").await;

    page.go("/settings/members").await;
    let row = "return [...document.querySelectorAll('tbody tr')].find(r => r.innerText.includes(arguments[0]))
        ?.querySelector(`a[href*=\"/settings/members/\"]:not([href$=\"/remove\"])`)?.getAttribute('href') ?? null";
    let change = page.run_with(row, &[ADA.into()]).await.as_str().expect("a link to change the role").to_owned();
    page.go(&change).await;
    page.choose("Role", "Developer: webhooks, events, sources, commands").await;
    page.push("Save role").await;
    page.sees("The role is changed.").await;
    // At once, in the session that she has.
    ada.reload().await;
    assert_eq!(pause(&ada).await, "enabled", "a developer may");

    page.go(&format!("{change}/remove")).await;
    page.sees("Ada").await;
    page.push("Remove member").await;
    page.sees("They are removed.").await;
    ada.reload().await;
    ada.sees_no("Billing update hook").await;
    let members = seed.api.get("/members?limit=100").await.expect(200);
    assert!(!members.to_string().contains(ADA), "{members}");
}

/// Whether the page lets its visitor pause the webhook.
async fn pause(page: &Page) -> String {
    let script = "const all = [...document.querySelectorAll('button')];
        const pause = all.find(b => b.innerText.trim() === 'Pause'); return pause.disabled ? 'disabled' : 'enabled'";
    page.run(script).await.as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn a_provider_of_identities_lets_somebody_in_and_back_to_where_they_were() {
    let provider = IdentityProvider::start().await;
    let issuer = provider.issuer();
    let flags = ["--oidc-issuer", &issuer, "--oidc-client-id", CLIENT_ID, "--oidc-role", "developer"];
    let mut server = Server::prepare(BINARY, &[&flags[..], &["--oidc-domain", "example.com"]].concat());
    server.give("TIDINGS_OIDC_CLIENT_SECRET", CLIENT_SECRET);
    server.restart().await;
    visitor::make_operator(&server).await;
    let api = operator(&server);
    let page = Page::start(&format!("http://{}", server.address())).await;
    page.go("/settings/account").await;
    page.follow("Sign in with your organization").await;
    page.arrives_at("/settings/account").await;
    page.sees("mia@example.com").await;
    page.sees("identity provider").await;
    let members = api.get("/members").await.expect(200);
    assert_eq!((&members["data"][0]["name"], &members["data"][0]["role"]), (&json!("Mia"), &json!("developer")));
    page.push("Sign out").await;
    page.find("link", "Sign in with your organization").await;
    page.go("/settings/account").await;
    page.find("button", "Sign in").await;
    // Whom the provider does not vouch for stays outside.
    provider.claim("email", "somebody@elsewhere.example");
    provider.claim("sub", "somebody-else");
    page.follow("Sign in with your organization").await;
    page.sees_no("somebody@elsewhere.example").await;
    page.go("/settings/account").await;
    page.find("button", "Sign in").await;
    assert_eq!(text(&api.get("/members").await.expect(200)["data"][0], "email"), "mia@example.com");
}
