//! The icons: a set of our own on a grid of 16 pixels, drawn with strokes of 1.5.
//!
//! A page carries one sprite with those that it uses, see [`sprite`].

use maud::{Markup, PreEscaped, html};

/// What lies within an icon's `<symbol>`, by name.
const ICONS: &[(&str, &str)] = &[
    ("alert", r##"<path d="M8 2.3 14.3 13H1.7zM8 6.5v3M8 11.3h.01"/>"##),
    ("bolt", r##"<path d="M9 1.5 3.5 9H8l-1 5.5L12.5 7H8z"/>"##),
    ("chart", r##"<path d="M2.5 13.5h11M4 11V8M8 11V4M12 11V6.5"/>"##),
    ("check", r##"<path d="m3 8.5 3.2 3L13 4.5"/>"##),
    ("clock", r##"<circle cx="8" cy="8" r="5.7"/><path d="M8 4.8V8l2.2 1.5"/>"##),
    ("code", r##"<path d="M5.5 4 2 8l3.5 4M10.5 4 14 8l-3.5 4"/>"##),
    ("copy", r##"<path d="M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3"/>"##),
    ("down", r##"<path d="M8 3v8M4.5 8 8 11.5 11.5 8M3 13.5h10"/>"##),
    ("edit", r##"<path d="m10 3.5 2.5 2.5L6 12.5l-3 .5.5-3z"/>"##),
    (
        "eye",
        r##"<path d="M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8z"/><circle cx="8" cy="8" r="2"/>"##,
    ),
    ("globe", r##"<circle cx="8" cy="8" r="5.7"/><path d="M2.5 8h11M8 2.3c4 4 4 7.4 0 11.4-4-4-4-7.4 0-11.4z"/>"##),
    ("history", r##"<path d="M3 8a5 5 0 1 0 1.6-3.7M3 2.5v3h3M8 5.5V8l2 1.2"/>"##),
    ("info", r##"<circle cx="8" cy="8" r="5.7"/><path d="M8 7.5v3M8 5.3h.01"/>"##),
    ("into", r##"<path d="M10 3h2.5a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H10M2.5 8h7M6.5 5l3 3-3 3"/>"##),
    ("key", r##"<circle cx="5" cy="11" r="2.5"/><path d="m7 9 6-6M10.5 5.5l2 2"/>"##),
    ("left", r##"<path d="M10 3.5 5.5 8l4.5 4.5"/>"##),
    (
        "link",
        r##"<path d="M6.5 9.5a2.5 2.5 0 0 0 3.5 0l2.5-2.5A2.5 2.5 0 0 0 9 3.5L8 4.5M9.5 6.5a2.5 2.5 0 0 0-3.5 0L3.5 9A2.5 2.5 0 0 0 7 12.5l1-1"/>"##,
    ),
    ("menu", r##"<path d="M2.5 4.5h11M2.5 8h11M2.5 11.5h11"/>"##),
    ("minus", r##"<path d="M4 8h8"/>"##),
    ("more", r##"<path d="M3.5 8h.01M8 8h.01M12.5 8h.01" stroke-width="2.2"/>"##),
    ("out", r##"<path d="M6 3H3.5A1 1 0 0 0 2.5 4v8a1 1 0 0 0 1 1H6M6.5 8h7M10.5 5l3 3-3 3"/>"##),
    ("out-door", r##"<path d="M6 2.5H3.5a1 1 0 0 0-1 1v9a1 1 0 0 0 1 1H6M10 5l3 3-3 3M13 8H6"/>"##),
    ("overview", r##"<path d="M2.5 9.5h4v4h-4zM9.5 2.5h4v4h-4zM2.5 2.5h4v4h-4zM9.5 9.5h4v4h-4z"/>"##),
    ("pause", r##"<path d="M5.5 3.5v9M10.5 3.5v9"/>"##),
    (
        "people",
        r##"<circle cx="6" cy="5.5" r="2.5"/><path d="M1.5 13c0-2.5 2-4 4.5-4s4.5 1.5 4.5 4M10.5 3.200a2.5 2.5 0 0 1 0 4.600M12 9.400c1.5.5 2.5 1.800 2.5 3.600"/>"##,
    ),
    ("plane", r##"<path d="M14 2 7 9M14 2 9.5 14 7 9 2 6.5z"/>"##),
    ("play", r##"<path d="M4.5 3v10l8-5z"/>"##),
    ("plus", r##"<path d="M8 3v10M3 8h10"/>"##),
    ("retry", r##"<path d="M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3h-3"/>"##),
    ("right", r##"<path d="m6 4 4 4-4 4"/>"##),
    ("search", r##"<circle cx="7" cy="7" r="4.3"/><path d="m10.3 10.3 3.2 3.2"/>"##),
    ("server", r##"<path d="M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.01M5 11h.01"/>"##),
    (
        "sliders",
        r##"<path d="M2.5 5H9M12 5h1.5M2.5 11H4M7 11h6.5"/><circle cx="10.5" cy="5" r="1.5"/><circle cx="5.5" cy="11" r="1.5"/>"##,
    ),
    ("stop", r##"<circle cx="8" cy="8" r="5.5"/><path d="m4.2 4.2 7.6 7.6"/>"##),
    ("tag", r##"<path d="M2.5 2.5h5l6 6-5 5-6-6zM5.3 5.3h.01"/>"##),
    ("term", r##"<path d="m3 4.5 3.5 3.5L3 11.5M8.5 12H13"/>"##),
    ("theme", r##"<circle cx="8" cy="8" r="5.5"/><path d="M8 2.5v11a5.5 5.5 0 0 0 0-11z" fill="currentColor"/>"##),
    ("trash", r##"<path d="M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9"/>"##),
    ("up", r##"<path d="m3.5 10 4.5-4.5 4.5 4.5"/>"##),
    ("under", r##"<path d="m3.5 6 4.5 4.5L12.5 6"/>"##),
    ("updown", r##"<path d="m5 6 3-3 3 3M5 10l3 3 3-3"/>"##),
    ("x", r##"<path d="m4 4 8 8M12 4l-8 8"/>"##),
];

/// An icon beside words that say the same.
pub(crate) fn icon(name: &'static str) -> Markup {
    html! { svg .icon aria-hidden="true" { use href=(reference(name)) {} } }
}

/// The same in the colour of a state: `ok`, `warn`, `bad`, `info`.
pub(crate) fn icon_of(name: &'static str, state: &str) -> Markup {
    html! { svg class={ "icon " (state) } aria-hidden="true" { use href=(reference(name)) {} } }
}

fn reference(name: &str) -> String {
    debug_assert!(ICONS.iter().any(|(known, _)| *known == name), "{name} is no icon");
    format!("#i-{name}")
}

/// The sprite for what is drawn: the icons that it refers to.
pub(crate) fn sprite(drawn: &str) -> Markup {
    let used = |name: &str| drawn.contains(&format!("\"#i-{name}\""));
    html! {
        svg .sprite aria-hidden="true" {
            @for (name, path) in ICONS.iter().filter(|(name, _)| used(name)) {
                symbol id={ "i-" (name) } viewBox="0 0 16 16" { (PreEscaped(path)) }
            }
        }
    }
}
