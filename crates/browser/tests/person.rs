//! What the harness says of pages that are known: it finds, types, clicks and waits as a person
//! does, and sees what must not be there.

use std::time::Duration;

use tidings_browser::{Axe, Page, View};
use tidings_testkit::{Behaviour, Receiver};

const BOUND: Duration = Duration::from_secs(10);

const PLAIN: &str = "<!doctype html><html lang=en><meta name=viewport content=width=device-width>
    <title>Plain</title><style>button { min-width: 40px; min-height: 40px }</style><main><h1>Plain</h1>
    <form action=/next><label>Name <input name=name value=old></label>
    <label for=kind>Kind</label><select id=kind name=kind><option>one</option><option value=2>two</option></select>
    <label for=secret>Secret</label><input id=secret type=password>
    <button>Save it</button></form>
    <p hidden>nobody sees this</p><a href=/next>Go on</a><button type=button aria-label=Delete>x</button></main>";
const NEXT: &str = "<!doctype html><html lang=en><title>Next</title><main><h1>Next</h1><p>done</p></main>";
const WRONG: &str =
    "<!doctype html><html><title>Wrong</title><main><h1>Wrong</h1><p style='color:#999;background:#fff'>pale</p>
    <img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='><button></button></main>";
const HTML: (&str, &str) = ("content-type", "text/html; charset=utf-8");

fn serve(receiver: &Receiver, path: &str, body: &'static str, headers: &'static [(&'static str, &'static str)]) {
    receiver.route(path, Behaviour::Reply { status: 200, headers, body });
}

async fn pages() -> Receiver {
    let receiver = Receiver::start().await;
    serve(&receiver, "/plain", PLAIN, &[HTML]);
    serve(&receiver, "/next", NEXT, &[HTML]);
    serve(&receiver, "/wrong", WRONG, &[HTML]);
    serve(&receiver, "/alert", "<!doctype html><title>x</title><script>alert('hello')</script>", &[HTML]);
    let strict = &[HTML, ("content-security-policy", "default-src 'none'")];
    serve(&receiver, "/strict", "<!doctype html><title>x</title><script>document.title='ran'</script>", strict);
    receiver
}

#[tokio::test]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn a_form_is_filled_and_sent_by_labels_and_names() {
    let receiver = pages().await;
    let page = Page::start(&receiver.url("")).await;
    page.go("/plain").await;
    page.fill("Name", "new").await;
    page.choose("Kind", "two").await;
    page.fill("Secret", "hush").await;
    assert_eq!(page.field("Secret").await.value().await, "hush");
    assert_eq!(page.names("button").await, ["Save it", "Delete"]);
    assert!(!page.text().await.contains("nobody"), "what is hidden is not seen");
    page.push("Save it").await;
    page.sees("done").await;
    assert_eq!(page.path().await, "/next?name=new&kind=2");
    page.back().await;
    page.follow("Go on").await;
    page.arrives_at("/next").await;
    assert_eq!(page.title().await, "Next");
    receiver.wait_for("/next", 2, BOUND).await;
}

#[tokio::test]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn what_must_not_be_there_is_seen() {
    let receiver = pages().await;
    let page = Page::start(&receiver.url("")).await;
    let axe = Axe::read();
    page.go("/plain").await;
    let serious = axe.look(&page).await.into_iter().filter(tidings_browser::Offence::is_serious);
    assert_eq!(serious.map(|offence| offence.to_string()).collect::<Vec<_>>(), [""; 0]);
    page.go("/wrong").await;
    let offences = axe.look(&page).await;
    for rule in ["button-name", "color-contrast", "html-has-lang", "image-alt"] {
        assert!(offences.iter().any(|offence| offence.rule == rule && offence.is_serious()), "{rule}: {offences:?}");
    }
    page.console().await;
    page.go("/strict").await;
    let console = page.console().await;
    assert!(console.iter().any(tidings_browser::Line::is_policy_report), "{console:?}");
    assert_eq!(page.title().await, "x");
    assert_eq!(page.alert().await, None);
    page.go("/alert").await;
    assert_eq!(page.alert().await.as_deref(), Some("hello"));
    page.accept_alert().await;
    assert_eq!(page.alert().await, None);
}

#[tokio::test]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn a_view_has_its_size_and_colours() {
    let receiver = pages().await;
    let page = Page::start(&receiver.url("")).await;
    page.go("/plain").await;
    let seen = "return [innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]";
    for (view, dark) in [(View::WIDE, false), (View::NARROW.dark(), true)] {
        page.view(view).await;
        assert_eq!(page.run(seen).await, serde_json::json!([view.width, dark]));
    }
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let file = directory.path().join("page.png");
    page.picture(&file).await;
    let picture = std::fs::read(&file).expect("the picture was written");
    assert!(picture.starts_with(b"\x89PNG"), "{} bytes", picture.len());
}
