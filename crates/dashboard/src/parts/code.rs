//! Blocks of what machines say: payloads, headers, command lines. All of it may come from strangers,
//! so it is text, set apart from the direction of what stands around it.

use maud::{Markup, html};

use super::{icon, number, visible};

/// Bytes of a block that are drawn.
const SHOWN_BYTES_MAX: usize = 64 * 1024;
/// Bytes of JSON that are written anew with indents; beyond that it stays as it came.
const INDENTED_BYTES_MAX: usize = 64 * 1024;

/// A block with a head that says what it is, and a button that copies it as it came.
pub(crate) fn text_block(title: &str, text: &str) -> Markup {
    block(title, text, &shown(text))
}

/// The same for JSON: indented and coloured; what is no JSON stays as it is.
pub(crate) fn json(title: &str, text: &str) -> Markup {
    let indented = (text.len() <= INDENTED_BYTES_MAX)
        .then(|| serde_json::from_str::<Box<serde_json::value::RawValue>>(text).ok())
        .flatten()
        .map(|raw| indent(raw.get()));
    match indented {
        Some(indented) => block(title, text, &coloured(&indented)),
        None => text_block(title, text),
    }
}

/// JSON with indents, for a field that it is changed in; what is no JSON stays as it is.
pub(crate) fn json_pretty(text: &str) -> String {
    let is_json = text.len() <= INDENTED_BYTES_MAX && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    if is_json { indent(text) } else { text.to_owned() }
}

/// A block around what is drawn already; `text` is what is copied.
pub(crate) fn block(title: &str, text: &str, drawn: &Markup) -> Markup {
    html! {
        div .code {
            header {
                span { (title) " · " (number(text.len() as i128)) " bytes" }
                button .icon-button.push type="button" title={ "Copy " (title) } aria-label={ "Copy " (title) }
                    data-copy=(cut(text)) hidden { (icon("copy")) }
            }
            pre tabindex="0" .wrap { bdi { (drawn) } }
        }
    }
}

/// A line for a terminal.
pub(crate) fn command_line(what: &str, line: &str) -> Markup {
    html! {
        div .code {
            header {
                span { (what) }
                button .icon-button.push type="button" title={ "Copy: " (what) } aria-label={ "Copy: " (what) }
                    data-copy=(line) hidden { (icon("copy")) }
            }
            pre tabindex="0" { (line) }
        }
    }
}

fn shown(text: &str) -> Markup {
    let part = cut(text);
    html! {
        (visible(part))
        @if part.len() < text.len() {
            "\n" em .c { "cut here, " (number(text.len() as i128)) " bytes in all" }
        }
    }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(SHOWN_BYTES_MAX)]
}

/// Writes JSON with indents, token by token: numbers and strings stay as they came.
fn indent(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let mut characters = text.chars().peekable();
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    while let Some(character) = characters.next() {
        if in_string {
            out.push(character);
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
            continue;
        }
        match character {
            ' ' | '\n' | '\t' | '\r' => {}
            '{' | '[' => {
                out.push(character);
                while characters.next_if(|next| next.is_whitespace()).is_some() {}
                if characters.peek().is_some_and(|next| matches!(next, '}' | ']')) {
                    continue;
                }
                depth += 1;
                line(&mut out, depth);
            }
            '}' | ']' => {
                if !out.ends_with(['{', '[']) {
                    depth = depth.saturating_sub(1);
                    line(&mut out, depth);
                }
                out.push(character);
            }
            ',' => {
                out.push(character);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ => {
                in_string = character == '"';
                out.push(character);
            }
        }
    }
    out
}

/// Colours of JSON: keys, strings, numbers, words.
fn coloured(text: &str) -> Markup {
    html! { @for (class, token) in tokens(text) {
        @if class.is_empty() { (visible(token)) } @else { span class=(class) { (visible(token)) } }
    } }
}

fn tokens(text: &str) -> Vec<(&'static str, &str)> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (class, end) = match first {
            '"' => {
                let end = string_end(rest);
                let is_key = rest[end..].trim_start().starts_with(':');
                (if is_key { "k" } else { "s" }, end)
            }
            '-' | '0'..='9' => ("n", rest.find([',', '\n', '}', ']', ' ']).unwrap_or(rest.len())),
            't' | 'f' | 'n' => ("w", rest.find([',', '\n', '}', ']', ' ']).unwrap_or(rest.len())),
            _ => (
                "",
                rest.find(['"', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 't', 'f', 'n'])
                    .unwrap_or(rest.len()),
            ),
        };
        let (token, after) = rest.split_at(end.max(first.len_utf8()));
        tokens.push((class, token));
        rest = after;
    }
    tokens
}

fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (place, character) in text.char_indices().skip(1) {
        match character {
            '"' if !escaped => return place + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_indented_without_another_word() {
        let text = r#"{"a":[1.10,-2e3,{}],"b\"{":"x,y:[ ","c":[],"d":null}"#;
        let indented = indent(text);
        let expected = "{\n  \"a\": [\n    1.10,\n    -2e3,\n    {}\n  ],\n  \"b\\\"{\": \"x,y:[ \",\n  \"c\": [],\n  \"d\": null\n}";
        assert_eq!(indented, expected);
        assert_eq!(tokens(&indented).iter().map(|(_, token)| *token).collect::<String>(), indented);
        let classes: Vec<_> = tokens(&indented).into_iter().filter(|(class, _)| *class == "k").collect();
        assert_eq!(classes.len(), 4);
    }

    #[test]
    fn what_strangers_write_is_text() {
        let drawn = json("Body", "{\"a\":\"<script>alert(1)</script>\u{1b}\u{202e}\"}").0;
        assert!(!drawn.contains("<script>") && drawn.contains("&lt;script&gt;"), "{drawn}");
        let body = drawn.split("<pre").nth(1).expect("a block");
        assert!(!body.contains('\u{1b}') && !body.contains('\u{202e}'), "{body}");
    }
}
