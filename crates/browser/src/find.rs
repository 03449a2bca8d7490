//! Finding things as a reader of the page does: by role and name. A name that ends with `*` stands
//! for all that begin so.

use serde_json::{Value, json};

use crate::{element::Element, page::Page};

/// Where to look.
#[derive(Clone, Copy)]
enum Place<'a> {
    Page,
    Below(&'a Element<'a>),
}

/// Kept on the window for one call, to hand an element from Chromium's protocol to WebDriver.
const HAND_OVER: &str = "function() { window.__tidings_found = this.nodeType === 1 ? this : this.parentElement; }";
const TAKE: &str = "const found = window.__tidings_found; delete window.__tidings_found; return found";

impl Page {
    /// Waits for the one thing with this role and name, as the accessibility tree has them.
    ///
    /// # Panics
    ///
    /// There is none after a while, or more than one; the message says what there is instead.
    pub async fn find(&self, role: &str, name: &str) -> Element<'_> {
        self.find_in(Place::Page, role, name).await
    }

    /// All things with this role and name that are there now.
    pub async fn find_all(&self, role: &str, name: &str) -> Vec<Element<'_>> {
        let mut found = Vec::new();
        for node in self.nodes(Place::Page, role).await.iter().filter(|node| fits(node, name)) {
            found.extend(self.take(node).await);
        }
        found
    }

    /// The names of all things with this role, in the page's order.
    pub async fn names(&self, role: &str) -> Vec<String> {
        self.nodes(Place::Page, role).await.iter().map(name_of).collect()
    }

    /// Whether something with this role and name is there now.
    pub async fn has(&self, role: &str, name: &str) -> bool {
        self.nodes(Place::Page, role).await.iter().any(|node| fits(node, name))
    }

    /// Waits for the one button with this name and presses it.
    pub async fn push(&self, name: &str) {
        self.click("button", name).await;
    }

    /// Presses the first button with this name, where a page offers the same in two places.
    pub async fn push_first(&self, name: &str) {
        let push = async || {
            let found = self.find_all("button", name).await;
            match found.first()?.try_click().await {
                Ok(()) => Some(()),
                Err(refused) if refused.code == "stale element reference" => None,
                Err(refused) => panic!("button {name:?} cannot be pushed: {refused}\n{}", self.described().await),
            }
        };
        self.until(&format!("a button {name:?} to be pushed"), push).await;
    }

    /// Waits for the one link with this name and follows it.
    pub async fn follow(&self, name: &str) {
        self.click("link", name).await;
    }

    /// Opens the one menu or part of the page with this name, which says more when it is opened.
    pub async fn open(&self, name: &str) {
        let role = match self.has("DisclosureTriangle", name).await {
            true => "DisclosureTriangle",
            false => "button",
        };
        self.click(role, name).await;
    }

    /// Waits for the one thing with this role and name and clicks it. What is replaced meanwhile,
    /// as live rows are, is looked for again.
    pub async fn click(&self, role: &str, name: &str) {
        let what = format!("{role} {name:?} to be clicked");
        let click = async || match self.find(role, name).await.try_click().await {
            Ok(()) => Some(()),
            Err(refused) if refused.code == "stale element reference" => None,
            Err(refused) => panic!("{role} {name:?} cannot be clicked: {refused}\n{}", self.described().await),
        };
        self.until(&what, click).await;
    }

    /// Fills the one field with this label.
    pub async fn fill(&self, label: &str, text: &str) {
        self.field(label).await.fill(text).await;
    }

    /// Waits for the one field with this label: something to type into.
    pub async fn field(&self, label: &str) -> Element<'_> {
        let look = async || {
            for role in ["textbox", "searchbox", "spinbutton", "combobox"] {
                let nodes = self.nodes(Place::Page, role).await;
                if let Some(node) = nodes.iter().find(|node| fits(node, label)) {
                    return self.take(node).await;
                }
            }
            // Password and date fields have no role in the tree.
            self.labelled(label).await
        };
        self.until(&format!("a field {label:?}"), look).await
    }

    async fn labelled(&self, label: &str) -> Option<Element<'_>> {
        let script = "const wanted = arguments[0], plain = text => text.replace(/\\s+/g, ' ').trim();
            for (const label of document.querySelectorAll('label'))
                if (label.control && plain(label.innerText) === wanted) return label.control;
            return null";
        let found = self.run_with(script, &[json!(label)]).await;
        (!found.is_null()).then(|| Element::of(self, &found))
    }

    /// Chooses an option of the one list with this label by the option's text.
    pub async fn choose(&self, label: &str, option: &str) {
        let list = self.field(label).await;
        let script = "const [list, wanted] = arguments;
            const option = [...list.options].find(option => option.text.trim() === wanted);
            if (!option) return [...list.options].map(option => option.text.trim());
            list.value = option.value;
            list.dispatchEvent(new Event('input', {bubbles: true}));
            list.dispatchEvent(new Event('change', {bubbles: true}));
            return null";
        let others = self.run_with(script, &[list.reference(), json!(option)]).await;
        assert!(others.is_null(), "the list {label:?} has no option {option:?}, only {others}");
    }

    /// The first thing that a style sheet's selector finds now; for what has no role.
    pub async fn select(&self, selector: &str) -> Option<Element<'_>> {
        let found = self.run_with("return document.querySelector(arguments[0])", &[json!(selector)]).await;
        (!found.is_null()).then(|| Element::of(self, &found))
    }

    async fn find_in<'a>(&'a self, place: Place<'a>, role: &str, name: &str) -> Element<'a> {
        let look = async || {
            let nodes = self.nodes(place, role).await;
            let fitting: Vec<_> = nodes.iter().filter(|node| fits(node, name)).collect();
            assert!(fitting.len() <= 1, "{} things are a {role} {name:?}", fitting.len());
            match fitting.first() {
                Some(node) => self.take(node).await.ok_or_else(Vec::new),
                None => Err(nodes.iter().map(name_of).collect()),
            }
        };
        let mut instead: Vec<String> = Vec::new();
        let found = self.patiently(async || look().await.map_err(|there| instead = there).ok()).await;
        match found {
            Some(element) => element,
            None => panic!("there is no {role} {name:?}, only {instead:?}\n{}", self.described().await),
        }
    }

    /// What the accessibility tree has of a role.
    async fn nodes(&self, place: Place<'_>, role: &str) -> Vec<Value> {
        let root = match place {
            Place::Page => self.chromium("Runtime.evaluate", json!({"expression": "document"})).await,
            Place::Below(element) => {
                self.run_with("window.__tidings_below = arguments[0]", &[element.reference()]).await;
                self.chromium("Runtime.evaluate", json!({"expression": "window.__tidings_below"})).await
            }
        };
        let wanted = json!({"objectId": root["result"]["objectId"], "role": role});
        // A page that is left meanwhile has no tree: there is nothing to see then.
        let body = json!({"cmd": "Accessibility.queryAXTree", "params": wanted});
        let Ok(mut seen) = self.ask(http::Method::POST, "/goog/cdp/execute", &body).await else { return Vec::new() };
        let Value::Array(nodes) = seen["nodes"].take() else { return Vec::new() };
        nodes.into_iter().filter(|node| node["ignored"] == false).collect()
    }

    /// The element of a node; `None` if it is gone.
    async fn take(&self, node: &Value) -> Option<Element<'_>> {
        let wanted = json!({"backendNodeId": node["backendDOMNodeId"]});
        let body = json!({"cmd": "DOM.resolveNode", "params": wanted});
        let object = self.ask(http::Method::POST, "/goog/cdp/execute", &body).await.ok()?;
        let call = json!({"objectId": object["object"]["objectId"], "functionDeclaration": HAND_OVER});
        let body = json!({"cmd": "Runtime.callFunctionOn", "params": call});
        self.ask(http::Method::POST, "/goog/cdp/execute", &body).await.ok()?;
        let found = self.run(TAKE).await;
        (!found.is_null()).then(|| Element::of(self, &found))
    }
}

impl<'a> Element<'a> {
    /// Waits for the one thing with this role and name inside this one.
    ///
    /// # Panics
    ///
    /// As [`Page::find`] does.
    pub async fn find(&'a self, role: &str, name: &str) -> Element<'a> {
        self.page.find_in(Place::Below(self), role, name).await
    }
}

fn fits(node: &Value, wanted: &str) -> bool {
    let name = name_of(node);
    wanted.strip_suffix('*').map_or_else(|| name == wanted, |start| name.starts_with(start))
}

/// White space is seen as one space.
fn name_of(node: &Value) -> String {
    let name = node["name"]["value"].as_str().unwrap_or_default();
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}
