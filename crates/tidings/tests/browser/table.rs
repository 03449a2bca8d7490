//! The dashboard's own table of routes, read from where it is written, so that no page and no form
//! that is added there can be forgotten here.

use std::collections::BTreeMap;

const SOURCE: &str = include_str!("../../../dashboard/src/routes.rs");

/// A route: what may be asked of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Route {
    /// As it is written, such as `/p/{project}/webhooks/{webhook}`.
    pub(crate) path: String,
    /// Whether it is a page.
    pub(crate) is_page: bool,
    /// Whether it takes a form.
    pub(crate) takes_form: bool,
}

/// What a word in braces stands for, by the part in front of it.
const KINDS: [(&str, &str); 19] = [
    ("p", "project"),
    ("webhooks", "webhook"),
    ("events", "event"),
    ("deliveries", "delivery"),
    ("sources", "source"),
    ("receipts", "receipt"),
    ("commands", "command"),
    ("runs", "run"),
    ("event-types", "type"),
    ("jobs", "job"),
    ("keys", "api_key"),
    ("members", "member"),
    ("accounts", "account"),
    ("invites", "invite"),
    ("sessions", "session"),
    ("organizations", "organization"),
    ("portal", "portal"),
    ("portals", "portal_session"),
    ("invite", "invite_token"),
];
/// Words in braces that stand for one of a few words, wherever they are; records have names that
/// everybody may use.
const WORDS: [(&str, &str, &str); 6] = [
    ("attempts", "number", "1"),
    ("versions", "version", "1"),
    ("1", "which", "request"),
    ("event-types", "preset", "botdog"),
    ("records", "kind", "order"),
    ("order", "key", "s-0"),
];

/// A path with ids in place of its words in braces, which `id` finds by their kind; `None` if it
/// does not know one.
pub(crate) fn fill(path: &str, id: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut filled: Vec<String> = Vec::new();
    for part in path.split('/') {
        let before = filled.last().map_or("", String::as_str);
        let word = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        let instead = match word {
            None => part.to_owned(),
            Some(word) => match WORDS.iter().find(|(place, name, _)| *place == before && *name == word) {
                Some((.., instead)) => (*instead).to_owned(),
                None => {
                    let kind = KINDS.iter().find(|(place, _)| *place == before).map(|(_, kind)| *kind);
                    id(kind.unwrap_or_else(|| panic!("{path}: say what {part} behind {before:?} stands for")))?
                }
            },
        };
        filled.push(instead);
    }
    Some(filled.join("/"))
}

/// A router of the source: its own routes, and the other routers below a path.
#[derive(Debug, Default)]
struct Group {
    routes: Vec<Route>,
    nested: Vec<(String, String)>,
}

/// All routes, by path.
///
/// # Panics
///
/// The table is written in a way that is not understood here: then it would be incomplete.
pub(crate) fn routes() -> Vec<Route> {
    let groups = read(SOURCE);
    let nested: Vec<_> = groups.values().flat_map(|group| group.nested.iter().map(|(_, name)| name.as_str())).collect();
    let mut all = Vec::new();
    for (name, group) in &groups {
        if !nested.contains(&name.as_str()) {
            unfold(&groups, group, "", &mut all);
        }
    }
    let written = SOURCE.matches(".route(").count();
    assert!(all.len() >= written, "{written} routes are written, and {} understood", all.len());
    // Whatever else is asked for below a place gets a page that says that it is not there.
    all.retain(|route| !route.path.contains("{*"));
    all.sort();
    all.dedup();
    all
}

fn unfold(groups: &BTreeMap<String, Group>, group: &Group, below: &str, all: &mut Vec<Route>) {
    for route in &group.routes {
        let path = format!("{below}{}", route.path);
        let path = if path.len() > 1 { path.trim_end_matches('/').to_owned() } else { path };
        all.push(Route { path, ..route.clone() });
    }
    for (path, name) in &group.nested {
        let inner = groups.get(name).unwrap_or_else(|| panic!("the table nests {name}, which it does not define"));
        unfold(groups, inner, &format!("{below}{path}"), all);
    }
}

/// Routers by their names: what stands between `let name` or `fn name` and the next of these.
fn read(source: &str) -> BTreeMap<String, Group> {
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    let (mut name, mut function) = (String::new(), String::new());
    // A loop over places: its variable, and what that stands for.
    let mut each: (String, Vec<String>) = (String::new(), Vec::new());
    let plain = |line: &str| line.split("// ").next().unwrap_or_default().to_owned();
    let code: String = source.lines().map(plain).collect::<Vec<_>>().join(
        "
",
    );
    let mut rest = code.as_str();
    let marks = ["let ", "fn ", "for ", ";", ".route(", ".nest(", ".merge("];
    while let Some((at, mark)) = marks.iter().filter_map(|mark| rest.find(mark).map(|at| (at, *mark))).min() {
        rest = &rest[at + mark.len()..];
        match mark {
            "let " | "fn " => {
                let word = rest.trim_start_matches("mut ");
                name = word.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
                if mark == "fn " {
                    function.clone_from(&name);
                    each = (String::new(), Vec::new());
                } else if function != "all" {
                    // Whatever a function calls the router that it makes, it is the function's.
                    name.clone_from(&function);
                }
            }
            "for " => {
                let (word, list) = rest.split_once(" in [").unwrap_or((rest, ""));
                let list = list.split(']').next().unwrap_or_default();
                each = (word.to_owned(), list.split('"').skip(1).step_by(2).map(str::to_owned).collect());
            }
            ";" => name.clone_from(&function),
            ".route(" => {
                let inside = bracket(rest);
                let has = |method: &str| inside.contains(&format!("{method}("));
                let paths = match inside.trim_start().starts_with(&format!("{},", each.0)) && !each.0.is_empty() {
                    true => each.1.clone(),
                    false => unfolded(&quoted(inside), &each, inside.trim_start().starts_with("&format!")),
                };
                for path in paths {
                    let route = Route { path, is_page: has("get"), takes_form: has("post") };
                    assert!(route.is_page || route.takes_form, "{} takes what is not understood here", route.path);
                    groups.entry(name.clone()).or_default().routes.push(route);
                }
            }
            _ => {
                let inside = bracket(rest);
                let last = inside.rsplit([',', ' ']).find(|word| !word.trim().is_empty()).unwrap_or_default();
                let inner: String =
                    last.trim().trim_end_matches("()").rsplit("::").next().unwrap_or_default().to_owned();
                let path = if mark == ".nest(" { quoted(inside) } else { String::new() };
                groups.entry(name.clone()).or_default().nested.push((path, inner));
            }
        }
    }
    groups
}

/// A path that a loop makes of each of its places.
fn unfolded(path: &str, (word, places): &(String, Vec<String>), is_format: bool) -> Vec<String> {
    if !is_format {
        return vec![path.to_owned()];
    }
    let whole = |place: &String| path.replace(&format!("{{{word}}}"), place).replace("{{", "{").replace("}}", "}");
    places.iter().map(whole).collect()
}

/// What stands before the bracket that closes this one.
fn bracket(text: &str) -> &str {
    let mut depth = 1_usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..at];
        }
    }
    panic!("a bracket of the table is not closed")
}

fn quoted(text: &str) -> String {
    text.split('"').nth(1).unwrap_or_else(|| panic!("a route without a path: {text}")).to_owned()
}

#[test]
fn the_table_is_understood() {
    let source = r#"
        fn all() { let project = Router::new()
                .route("/", get(pages::overview::show)) // .route("/never", get(x))
                .route("/webhooks/{webhook}/edit", get(pages::webhooks::edit).post(pages::webhooks::save));
            let mut pages = Router::new().route("/theme", post(home::theme)).nest("/p/{project}", project);
            Router::new().merge(pages).merge(people()) }
        fn people() -> Router { let mut router = Router::new().route("/account", get(account));
            for place in ["/members", "/accounts"] {
                router = router.route(place, get(all).post(one)).route(&format!("{place}/{{id}}/remove"), post(remove)); }
            router }"#;
    let groups = read(source);
    let mut all = Vec::new();
    unfold(&groups, &groups["all"], "", &mut all);
    let paths: Vec<_> = all.iter().map(|route| (route.path.as_str(), route.is_page, route.takes_form)).collect();
    assert!(paths.contains(&("/p/{project}", true, false)), "{paths:?}");
    assert!(paths.contains(&("/p/{project}/webhooks/{webhook}/edit", true, true)), "{paths:?}");
    assert!(paths.contains(&("/theme", false, true)), "{paths:?}");
    assert!(paths.contains(&("/account", true, false)), "{paths:?}");
    assert!(paths.contains(&("/members", true, true)), "{paths:?}");
    assert!(paths.contains(&("/accounts/{id}/remove", false, true)), "{paths:?}");
    assert_eq!(paths.len(), 8, "{paths:?}");
    let known = routes();
    assert!(known.iter().any(|route| route.path == "/p/{project}" && route.is_page), "{known:?}");
}
