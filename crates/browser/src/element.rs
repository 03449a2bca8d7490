//! One thing on a page.

use http::Method;
use serde_json::{Value, json};

use crate::{driver::Refused, page::Page};

/// WebDriver's name for the member that holds an element's id (section 12.1).
pub(crate) const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// An element. It ends when its page does.
#[derive(Debug, Clone)]
pub struct Element<'a> {
    pub(crate) page: &'a Page,
    pub(crate) id: String,
}

impl<'a> Element<'a> {
    pub(crate) fn of(page: &'a Page, value: &Value) -> Self {
        let id = value[ELEMENT].as_str().unwrap_or_else(|| panic!("this is no element: {value}"));
        Self { page, id: id.to_owned() }
    }

    pub(crate) fn reference(&self) -> Value {
        json!({ELEMENT: self.id})
    }

    async fn ask(&self, method: Method, what: &str, body: &Value) -> Result<Value, Refused> {
        self.page.ask(method, &format!("/element/{}{what}", self.id), body).await
    }

    async fn command(&self, method: Method, what: &str, body: &Value) -> Value {
        let done = self.ask(method, what, body).await;
        match done {
            Ok(value) => value,
            Err(refused) => panic!("{what} of an element: {refused}\n{}", self.page.described().await),
        }
    }

    /// Clicks it where it is seen, and waits for the page that this leads to, if it leads anywhere.
    ///
    /// # Panics
    ///
    /// It cannot be clicked: it is not seen, or something lies above it.
    pub async fn click(&self) {
        self.command(Method::POST, "/click", &json!({})).await;
    }

    pub(crate) async fn try_click(&self) -> Result<(), Refused> {
        self.ask(Method::POST, "/click", &json!({})).await.map(drop)
    }

    /// Types into it, behind what it holds.
    pub async fn type_text(&self, text: &str) {
        self.command(Method::POST, "/value", &json!({"text": text})).await;
    }

    /// Types into it, in place of what it holds.
    pub async fn fill(&self, text: &str) {
        self.command(Method::POST, "/clear", &json!({})).await;
        self.type_text(text).await;
    }

    /// An attribute as it is written.
    pub async fn attribute(&self, name: &str) -> Option<String> {
        let arguments = [self.reference(), json!(name)];
        let value = self.page.run_with("return arguments[0].getAttribute(arguments[1])", &arguments).await;
        value.as_str().map(str::to_owned)
    }

    /// A property as it is now, such as `value` or `checked`.
    pub async fn property(&self, name: &str) -> Value {
        self.command(Method::GET, &format!("/property/{name}"), &Value::Null).await
    }

    /// What a field holds.
    pub async fn value(&self) -> String {
        self.property("value").await.as_str().unwrap_or_default().to_owned()
    }

    /// Whether it has the focus.
    pub async fn is_focused(&self) -> bool {
        self.page.run_with("return document.activeElement === arguments[0]", &[self.reference()]).await == true
    }
}
