//! Two hundred payloads that would be scripts if anybody forgot that they are text, and what is
//! watched for: calls, dialogs, changed titles and addresses, requests to a listener, and reports of
//! the content security policy.

use serde_json::Value;
use tidings_browser::Page;
use tidings_testkit::Receiver;

const CORPUS: &str = include_str!("payloads.json");
/// What a payload calls, if it is run.
const CALL: &str = "canary()";
/// What a payload sets the title to, if it is run.
const TITLE: &str = "taken over";
/// Where payloads send what they learn.
const LISTENER_PATH: &str = "/listener";

/// Before any script of a page: what would be called is there, and says that it was.
const WATCH: &str = "window.__ran = [];
    window.canary = () => { window.__ran.push('canary') };
    window.alert = window.confirm = window.prompt = () => { window.__ran.push('dialog') };";

/// What was run, what leads elsewhere, and what could be run by a click.
const LOOK: &str = "const seen = [...(window.__ran || [])], own = location.origin;
    if (document.title === arguments[0]) seen.push('title ' + document.title);
    for (const e of document.querySelectorAll('*')) for (const a of e.attributes) {
        if (/^on/i.test(a.name)) seen.push('handler ' + e.outerHTML.slice(0, 120));
        if (!/^(xlink:)?(href|src|action|formaction|data|poster|srcset|background|ping)$/i.test(a.name)) continue;
        if (a.value.startsWith('#') || a.value === '') continue;
        let to; try { to = new URL(a.value, document.baseURI) } catch { continue }
        if (to.origin !== own && to.protocol !== 'mailto:') seen.push('leads to ' + e.outerHTML.slice(0, 120));
    }
    for (const e of document.querySelectorAll('script'))
        if (!e.src && !e.textContent.startsWith('/*own*/')) seen.push('script ' + e.outerHTML.slice(0, 120));
    for (const e of document.querySelectorAll('base,iframe,object,embed,meta[http-equiv],link[rel=preload],plaintext'))
        seen.push('element ' + e.outerHTML.slice(0, 120));
    return seen";

/// All payloads, such that they call out to this listener.
pub(crate) fn payloads(listener: &Receiver) -> Vec<String> {
    let corpus: Vec<String> = serde_json::from_str(CORPUS).expect("the corpus is a list of texts");
    let url = listener.url(LISTENER_PATH);
    let host = url.trim_start_matches("http://");
    corpus
        .iter()
        .map(|payload| payload.replace("{call}", CALL).replace("{listener}", &url).replace("{host}", host))
        .map(|payload| payload.replace("{title}", TITLE))
        .collect()
}

/// Watches every page to come.
pub(crate) async fn watch(page: &Page) {
    page.on_every_page(WATCH).await;
}

/// What a page that stands there did that it must not; nothing, if everything foreign is text.
pub(crate) async fn misdeeds(page: &Page) -> Vec<String> {
    if let Some(text) = page.alert().await {
        page.accept_alert().await;
        return vec![format!("a dialog {text:?}")];
    }
    let base = page.base().to_owned();
    let url = page.url().await;
    if !url.starts_with(&base) {
        return vec![format!("the page led to {url}")];
    }
    let seen = page.run_with(LOOK, &[Value::from(TITLE)]).await;
    let mut misdeeds: Vec<_> =
        seen.as_array().into_iter().flatten().map(|one| one.as_str().unwrap_or_default().to_owned()).collect();
    let reports = page.console().await.into_iter().filter(tidings_browser::Line::is_policy_report);
    misdeeds.extend(reports.map(|line| format!("report {}", line.message)));
    misdeeds
}

/// Requests that payloads made.
pub(crate) fn calls_home(listener: &Receiver) -> Vec<String> {
    let arrivals = listener.arrivals().into_iter().map(|arrival| arrival.path);
    arrivals.filter(|path| path.starts_with(LISTENER_PATH)).collect()
}
