//! The signature sandbox: what the browser computes is what the server would sign, it says which part
//! differs, and nothing that is pasted leaves the page. And the editor, whose code stays where it is.

use tidings_browser::Page;
use tidings_domain::{profile::Profile, secret::Secret, signer::Signer, time::Timestamp};

use crate::{
    seed::{FEW, Seed},
    visitor,
};

const SECRET: &str = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0";
const BODY: &str = r#"{"order":7,"text":"Grüße, & <b>"}"#;
const AT_S: i64 = 1_800_000_000;

async fn start() -> (Seed, Page) {
    let seed = Seed::plant(FEW).await;
    let page = Page::start(&format!("http://{}", seed.server.address())).await;
    visitor::enter(&page, &seed).await;
    (seed, page)
}

/// The header of a profile, as the server writes it.
fn signed(profile: Profile) -> String {
    let secret = Secret::parse(SECRET).expect("a secret");
    let signer = Signer::new(profile.signature(), Some(&secret)).expect("a signer");
    let headers = signer.headers("msg_7", Timestamp::from_millis(AT_S * 1_000), BODY.as_bytes());
    let header = headers.into_iter().find(|(name, _)| name.to_lowercase().ends_with("signature"));
    header.expect("it signs").1
}

async fn shown(page: &Page, profile: Profile) -> String {
    let script = "return document.querySelector(`[data-way=\"${arguments[0]}\"] [data-header-value]`).textContent";
    page.run_with(script, &[profile.as_str().into()]).await.as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn the_sandbox_signs_as_the_server_does_and_sends_nothing() {
    let (seed, page) = start().await;
    page.go(&seed.path("/p/{project}/settings/signing")).await;
    // Whatever is asked of any server from now on is counted.
    let requests = "return performance.getEntriesByType('resource').length";
    page.until("the module to be awake", async || {
        let asleep = page.run("return document.querySelector('[data-verify]').disabled").await;
        (asleep == false).then_some(())
    })
    .await;
    let before = page.run(requests).await;
    for (label, text) in
        [("Secret", SECRET), ("Body", BODY), ("webhook-id", "msg_7"), ("Time, in Unix seconds", &AT_S.to_string())]
    {
        page.fill(label, text).await;
    }
    for profile in Profile::ALL {
        let expected = signed(profile);
        page.until(&format!("the signature of {profile}"), async || {
            (shown(&page, profile).await == expected).then_some(())
        })
        .await;
    }

    let botdog = signed(Profile::Botdog);
    page.choose("Signed by the profile", "botdog").await;
    page.fill("The header's value", &botdog).await;
    page.push("Verify header").await;
    page.sees("It fits").await;
    page.fill("The header's value", &botdog.replace("t=1800000000", "t=1800000007")).await;
    page.push("Verify header").await;
    page.sees("The time differs").await;
    page.fill("The header's value", &botdog).await;
    page.fill("Body", &BODY.replace(':', ": ")).await;
    page.push("Verify header").await;
    page.sees("The body differs").await;
    page.fill("Body", BODY).await;
    page.fill("Secret", SECRET.trim_start_matches("whsec_")).await;
    page.push("Verify header").await;
    page.sees("It does not fit").await;
    page.choose("Signed by the profile", "standard").await;
    page.fill("The header's value", &signed(Profile::Standard)).await;
    page.push("Verify header").await;
    page.sees("The secret's form differs").await;

    assert_eq!(page.run(requests).await, before, "the sandbox asked a server for something");
    let forms = page.run("return document.querySelectorAll('#main form, #main [name]').length").await;
    assert_eq!(forms, 0, "the sandbox has fields that can be sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn a_run_moves_neither_code_nor_caret() {
    let (seed, page) = start().await;
    page.go(&seed.path("/p/{project}/commands/{command}")).await;
    let code = page.field("Code").await;
    code.fill("console.log('first');\nthrow new Error('second')").await;
    page.run("const code = document.querySelector('#f-code'); code.focus(); code.setSelectionRange(4, 4)").await;
    page.run("window.stayed = true").await;
    page.press("Control+Enter").await;
    page.sees("Threw on line 2").await;
    assert_eq!(page.run("return window.stayed").await, true, "the page was left");
    let caret = "const code = document.activeElement; return [code.id, code.selectionStart]";
    assert_eq!(page.run(caret).await, serde_json::json!(["f-code", 4]));
    let marked = page.run("return document.querySelector('.gutter b').textContent").await;
    assert_eq!(marked, "2");

    // Tab indents; Esc, then Tab leaves.
    page.press("Tab").await;
    assert_eq!(page.run("return document.querySelector('#f-code').value.slice(0, 8)").await, "cons  ol");
    page.press("Escape").await;
    page.press("Tab").await;
    assert_ne!(page.run("return document.activeElement.id").await, "f-code");
}
