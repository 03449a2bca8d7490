//! What stands around lists: segments, pages, notices, and lines for nothing.

use maud::{Markup, html};

use super::{icon, number};
use crate::{ask::with_query, visit::Visit};

/// A choice of views, each an address: words, address, whether it is the present one, how many.
pub(crate) fn segments(label: &str, views: &[(&str, String, bool, Option<u64>)]) -> Markup {
    html! {
        nav .segments aria-label=(label) {
            @for (words, address, here, count) in views {
                a href=(address) aria-current=[here.then_some("true")] {
                    (words)
                    @if let Some(count) = count { " " span .num { (number(*count)) } }
                }
            }
        }
    }
}

/// How many there are: `1,204`, or `more than 10,000`.
pub(crate) fn total_words(total: Option<u64>, at_least: Option<u64>) -> String {
    match (total, at_least) {
        (Some(total), _) => number(total),
        (None, Some(least)) => format!("more than {}", number(least)),
        (None, None) => "many".to_owned(),
    }
}

/// The foot of a list: how much there is, and the way to what is older. `Newer` goes back to the top, since
/// lists grow at their head.
pub(crate) fn pager(visit: &Visit, total: &str, rows: usize, cursor: Option<&str>, at_top: bool) -> Markup {
    let older = cursor.map(|cursor| with_parameter(&visit.back, "cursor", cursor));
    html! {
        div .panel-foot {
            // Further down, how many are above is not known.
            span { @if at_top && rows > 0 { "1–" } (rows) " of " (total) }
            div .actions.push {
                @if !at_top { a .button.small href=(with_parameter(&visit.back, "cursor", "")) rel="prev" { "Newest" } }
                @if let Some(older) = older { a .button.small href=(older) rel="next" data-older { "Older" } }
            }
        }
    }
}

/// An address with another value of one parameter; an empty value removes it.
pub(crate) fn with_parameter(here: &str, name: &str, value: &str) -> String {
    let (path, query) = here.split_once('?').unwrap_or((here, ""));
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes())
        .filter(|(known, _)| known != name && !matches!(known.as_ref(), "said" | "did"))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .chain([(name.to_owned(), value.to_owned())])
        .collect();
    let borrowed: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    with_query(path, &borrowed)
}

/// The head of a table: words and class of each column. One without words holds what can be done.
pub(crate) fn table_head(columns: &[(&str, &str)]) -> Markup {
    html! {
        thead role="rowgroup" {
            tr role="row" {
                @for (words, class) in columns {
                    th role="columnheader" scope="col" class=[Some(class).filter(|class| !class.is_empty())] {
                        @if words.is_empty() { span .sr { "Actions" } } @else { (words) }
                    }
                }
            }
        }
    }
}

/// Something to know at the top of a page: `ok`, `warn` or `bad`.
pub(crate) fn notice(kind: &str, title: &str, text: &Markup, action: Option<Markup>) -> Markup {
    let picture = if kind == "ok" { "check" } else { "alert" };
    html! {
        div class={ "notice " (kind) } {
            (icon(picture))
            div { strong { (title) } div { (text) } }
            @if let Some(action) = action { (action) }
        }
    }
}

/// A place with nothing in it yet teaches: why, three steps, the way on; `beside`: the same by API and command line.
pub(crate) fn teach(title: &str, lead: &str, steps: [(&str, &str); 3], way: &Markup, beside: &Markup) -> Markup {
    html! {
        div .empty {
            div {
                h2 { (title) }
                p .lead { (lead) }
                ol .steps {
                    @for (place, (title, text)) in steps.iter().enumerate() {
                        li { span .n-step { (place + 1) } span { b { (title) } (text) } }
                    }
                }
                div .actions { (way) }
            }
            @if !beside.0.is_empty() { div .stack.tight { (beside) } }
        }
    }
}

/// A list with nothing in it.
pub(crate) fn empty_line(text: &str) -> Markup {
    html! { p .panel-body.faint { (text) } }
}
