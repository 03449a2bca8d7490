//! axe-core's rules over a page.

use std::fmt;

use serde_json::{Value, json};

use crate::{driver::axe_path, page::Page};

/// The rules of WCAG 2.0 to 2.2, A and AA, and what axe calls best practices.
const TAGS: [&str; 6] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/// Rules that depend on colours.
const COLORS: [&str; 2] = ["color-contrast", "link-in-text-block"];

/// axe-core's script, read once.
#[derive(Debug)]
pub struct Axe {
    script: String,
}

/// What breaks a rule.
#[derive(Debug, Clone)]
pub struct Offence {
    /// The rule, such as `color-contrast`.
    pub rule: String,
    /// `minor`, `moderate`, `serious`, `critical`
    pub impact: String,
    /// Where, as a selector, and why.
    pub places: Vec<String>,
}

impl Offence {
    /// Whether somebody cannot use the page for it.
    pub fn is_serious(&self) -> bool {
        matches!(self.impact.as_str(), "serious" | "critical")
    }
}

impl fmt::Display for Offence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.rule, self.impact, self.places.join(" | "))
    }
}

impl Axe {
    /// Reads it from where `TIDINGS_AXE` says.
    ///
    /// # Panics
    ///
    /// It is not there.
    pub fn read() -> Self {
        let path = axe_path();
        let script = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { script }
    }

    /// Everything on the page as it is now that breaks a rule.
    pub async fn look(&self, page: &Page) -> Vec<Offence> {
        self.run(page, &json!({"type": "tag", "values": TAGS})).await
    }

    /// The same, of colours alone: what else there is does not change with the theme.
    pub async fn look_at_colors(&self, page: &Page) -> Vec<Offence> {
        self.run(page, &json!({"type": "rule", "values": COLORS})).await
    }

    async fn run(&self, page: &Page, rules: &Value) -> Vec<Offence> {
        if page.run("return typeof axe").await != "object" {
            page.run(&format!("{}\nreturn null", self.script)).await;
        }
        let script = "const [rules, done] = arguments;
            axe.run(document, {runOnly: rules, resultTypes: ['violations']})
                .then(seen => done(seen.violations), error => done(String(error)))";
        let seen = page.run_to_end(script, std::slice::from_ref(rules)).await;
        let violations = seen.as_array().unwrap_or_else(|| panic!("axe-core failed: {seen}"));
        violations.iter().map(offence).collect()
    }
}

fn offence(violation: &Value) -> Offence {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let place = |node: &Value| {
        let why = text(&node["failureSummary"]).lines().skip(1).map(str::trim).collect::<Vec<_>>().join("; ");
        format!("{} ({why})", node["target"])
    };
    let places = violation["nodes"].as_array().map(|nodes| nodes.iter().map(place).collect()).unwrap_or_default();
    Offence { rule: text(&violation["id"]), impact: text(&violation["impact"]), places }
}
