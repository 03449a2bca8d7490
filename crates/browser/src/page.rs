//! What a person does with a page.

use std::{path::Path, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    driver::{Driver, Refused},
    view::View,
};

/// How long something on a page may take.
const BOUND: Duration = Duration::from_secs(15);
/// Between two looks at a page; a look takes a few milliseconds of the browser's time.
const LOOK_AGAIN: Duration = Duration::from_millis(25);
/// Characters of a page that a failing test shows.
const SHOWN: usize = 3_000;

/// A browser with one page open. Both end with this value.
#[derive(Debug)]
pub struct Page {
    driver: Driver,
    base: String,
}

impl Page {
    /// Starts a browser, as wide as a common screen, whose paths lie below this base, such as
    /// `http://127.0.0.1:4080`.
    pub async fn start(base: &str) -> Self {
        let page = Self { driver: Driver::start().await, base: base.trim_end_matches('/').to_owned() };
        page.view(View::WIDE).await;
        page
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, body: &Value) -> Result<Value, Refused> {
        self.driver.ask(method, path, body).await
    }

    pub(crate) async fn command(&self, method: Method, path: &str, body: &Value) -> Value {
        match self.ask(method, path, body).await {
            Ok(value) => value,
            Err(refused) => panic!("{path} {body}: {refused}\n{}", self.described().await),
        }
    }

    /// A command of Chromium's own protocol.
    pub(crate) async fn chromium(&self, name: &str, parameters: Value) -> Value {
        self.command(Method::POST, "/goog/cdp/execute", &json!({"cmd": name, "params": parameters})).await
    }

    /// Opens a path below the base, or any address, and waits until it is loaded.
    pub async fn go(&self, path: &str) {
        let url = if path.contains("://") { path.to_owned() } else { format!("{}{path}", self.base) };
        self.command(Method::POST, "/url", &json!({"url": url})).await;
    }

    /// Takes another base for the paths to come.
    pub fn move_to(&mut self, base: &str) {
        base.trim_end_matches('/').clone_into(&mut self.base);
    }

    /// The base.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Loads the page again.
    pub async fn reload(&self) {
        self.command(Method::POST, "/refresh", &json!({})).await;
    }

    /// Looks into the first frame of the page from now on.
    pub async fn enter_frame(&self) {
        self.command(Method::POST, "/frame", &json!({"id": 0})).await;
    }

    /// Looks at the page around all frames again.
    pub async fn leave_frame(&self) {
        self.command(Method::POST, "/frame", &json!({"id": null})).await;
    }

    /// Goes back to the page before.
    pub async fn back(&self) {
        self.command(Method::POST, "/back", &json!({})).await;
    }

    /// The whole address.
    pub async fn url(&self) -> String {
        self.command(Method::GET, "/url", &Value::Null).await.as_str().unwrap_or_default().to_owned()
    }

    /// The address without the base: path, query and fragment.
    pub async fn path(&self) -> String {
        let url = self.url().await;
        url.strip_prefix(&self.base).map(str::to_owned).unwrap_or(url)
    }

    /// The title.
    pub async fn title(&self) -> String {
        self.command(Method::GET, "/title", &Value::Null).await.as_str().unwrap_or_default().to_owned()
    }

    /// The page as the server sent it and scripts have changed it.
    pub async fn source(&self) -> String {
        self.command(Method::GET, "/source", &Value::Null).await.as_str().unwrap_or_default().to_owned()
    }

    /// All text that is seen.
    pub async fn text(&self) -> String {
        let text = self.run("return document.body ? document.body.innerText : ''").await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// The text that is seen of the first thing that a CSS selector fits, if there is one now. Found and
    /// read at once: live parts of a page are replaced at any time.
    pub async fn text_of(&self, selector: &str) -> Option<String> {
        let script = "return document.querySelector(arguments[0])?.innerText";
        self.run_with(script, &[json!(selector)]).await.as_str().map(str::to_owned)
    }

    /// Runs a script, whose `return` is the answer.
    pub async fn run(&self, script: &str) -> Value {
        self.run_with(script, &[]).await
    }

    /// Runs a script with `arguments`.
    pub async fn run_with(&self, script: &str, arguments: &[Value]) -> Value {
        self.command(Method::POST, "/execute/sync", &json!({"script": script, "args": arguments})).await
    }

    /// Runs a script that ends by calling its last argument.
    pub async fn run_to_end(&self, script: &str, arguments: &[Value]) -> Value {
        self.command(Method::POST, "/execute/async", &json!({"script": script, "args": arguments})).await
    }

    /// Looks until there is something to see.
    ///
    /// # Panics
    ///
    /// The bound passed; the message names what was waited for and shows the page.
    pub async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        match self.patiently(async || look().await).await {
            Some(seen) => seen,
            None => panic!("waited {} s in vain for {what}\n{}", BOUND.as_secs(), self.described().await),
        }
    }

    /// Looks until there is something to see; `None` after a while.
    pub(crate) async fn patiently<T>(&self, mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
        let started = Instant::now();
        loop {
            let seen = look().await;
            if seen.is_some() || started.elapsed() > BOUND {
                return seen;
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Waits until this text is seen somewhere.
    pub async fn sees(&self, text: &str) {
        self.until(&format!("the text {text:?}"), async || self.text().await.contains(text).then_some(())).await;
    }

    /// Waits until this text is seen nowhere.
    pub async fn sees_no(&self, text: &str) {
        self.until(&format!("no text {text:?}"), async || (!self.text().await.contains(text)).then_some(())).await;
    }

    /// Waits until the path, without its query, is this one.
    pub async fn arrives_at(&self, path: &str) {
        let there = async || {
            let now = self.path().await;
            let bare = now.split(['?', '#']).next().unwrap_or_default();
            (bare == path).then_some(())
        };
        self.until(&format!("the path {path}"), there).await;
    }

    /// Changes size and colours.
    pub async fn view(&self, view: View) {
        self.chromium("Emulation.setDeviceMetricsOverride", view.metrics()).await;
        self.chromium("Emulation.setEmulatedMedia", view.media()).await;
    }

    /// Writes a picture of the whole page, as long as it is.
    pub async fn picture(&self, file: &Path) {
        let size = self.run("const e = document.documentElement; return [e.clientWidth, e.scrollHeight]").await;
        let clip = json!({"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1});
        let wanted = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let taken = self.chromium("Page.captureScreenshot", wanted).await;
        let bytes = BASE64_STANDARD.decode(taken["data"].as_str().unwrap_or_default()).expect("a picture is Base64");
        std::fs::write(file, bytes).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    /// The text of an alert or question that scripts opened, if one is open. It stays open.
    pub async fn alert(&self) -> Option<String> {
        let text = self.ask(Method::GET, "/alert/text", &Value::Null).await.ok()?;
        Some(text.as_str().unwrap_or_default().to_owned())
    }

    /// Closes an alert, or says yes to a question.
    pub async fn accept_alert(&self) {
        self.command(Method::POST, "/alert/accept", &json!({})).await;
    }

    /// All cookies of the page's host.
    pub async fn cookies(&self) -> Vec<Value> {
        let cookies = self.command(Method::GET, "/cookie", &Value::Null).await;
        cookies.as_array().cloned().unwrap_or_default()
    }

    /// Forgets every cookie, of every host: a new visitor.
    pub async fn forget(&self) {
        self.chromium("Network.clearBrowserCookies", json!({})).await;
    }

    /// Sets a cookie of the base's host.
    pub async fn set_cookie(&self, name: &str, value: &str) {
        let cookie = json!({"name": name, "value": value, "url": self.base, "httpOnly": true});
        self.chromium("Network.setCookie", cookie).await;
    }

    /// Runs a script on every page to come, before any of its own.
    pub async fn on_every_page(&self, script: &str) {
        self.chromium("Page.addScriptToEvaluateOnNewDocument", json!({"source": script})).await;
    }

    /// Turns scripts of pages off or on, from the next page on.
    pub async fn scripts(&self, run: bool) {
        self.chromium("Emulation.setScriptExecutionDisabled", json!({"value": !run})).await;
    }

    /// What a failing test shows of a page.
    pub(crate) async fn described(&self) -> String {
        let script = "return [location.href, document.title, document.body ? document.body.innerText : '']";
        let body = json!({"script": script, "args": []});
        match self.ask(Method::POST, "/execute/sync", &body).await {
            Ok(seen) => {
                let text: String = seen[2].as_str().unwrap_or_default().chars().take(SHOWN).collect();
                format!("── the page {} {}\n{text}", seen[0], seen[1])
            }
            Err(refused) => format!("── nothing can be said of the page: {refused}"),
        }
    }
}
