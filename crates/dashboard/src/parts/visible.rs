//! Characters that are not seen, or turn what stands around them: strangers choose names, types and messages.

use std::borrow::Cow;

/// A text with control characters as symbols: they would move the cursor of whoever pastes it, or be seen as nothing.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(|character| symbol(character) != character) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(symbol).collect())
}

fn symbol(character: char) -> char {
    match u32::from(character) {
        code if character.is_ascii_control() && !matches!(character, '\n' | '\t') => {
            char::from_u32(if code == 0x7f { 0x2421 } else { 0x2400 + code }).unwrap_or('\u{fffd}')
        }
        // Marks that turn the direction of what follows.
        0x202a..=0x202e | 0x2066..=0x2069 => '\u{fffd}',
        _ => character,
    }
}

/// What in tags is read by people: pointed at, or by a screen reader.
const READ: [&str; 3] = [" title=\"", " aria-label=\"", " alt=\""];

/// The same for all texts of a drawn page, and for what pointing at something shows. What else stands in tags stays, so
/// that forms send and buttons copy what came, and so does what stands in fields of several lines.
pub(crate) fn visible_page(drawn: &str) -> Cow<'_, str> {
    if visible(drawn) == drawn {
        return Cow::Borrowed(drawn);
    }
    let mut out = String::with_capacity(drawn.len());
    let mut in_field = false;
    for piece in drawn.split_inclusive('>') {
        // Neither stands in a text or in a value but as an entity.
        let (text, tag) = piece.split_at(piece.find('<').unwrap_or(piece.len()));
        out.push_str(&if in_field { Cow::Borrowed(text) } else { visible(text) });
        out.push_str(&visible_tag(tag));
        in_field = tag.starts_with("<textarea");
    }
    Cow::Owned(out)
}

/// A tag in which nothing that is read turns or hides.
fn visible_tag(tag: &str) -> Cow<'_, str> {
    if visible(tag) == tag {
        return Cow::Borrowed(tag);
    }
    let (mut out, mut rest) = (String::with_capacity(tag.len()), tag);
    // Quotes within values are entities.
    let next = |rest: &str| READ.iter().filter_map(|name| rest.find(name).map(|at| at + name.len())).min();
    while let Some(at) = next(rest) {
        let end = rest[at..].find('"').map_or(rest.len(), |length| at + length);
        out.push_str(&rest[..at]);
        out.push_str(&visible(&rest[at..end]));
        rest = &rest[end..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use maud::html;

    #[test]
    fn nothing_that_turns_or_hides_text_is_seen_and_nothing_is_changed_that_is_sent_back() {
        let odd = "a\u{202e}b\u{2066}c\u{1b}[2J";
        let drawn = html! {
            h1 { bdi { (odd) } }
            input value=(odd);
            button data-copy=(odd) {}
            span title=(odd) data-copy=(odd) aria-label={ "\"" (odd) } {}
            textarea name="x" { (odd) }
            p { "1 < 2 > 0 " (odd) }
        };
        let page = visible_page(&drawn.0);
        let calm = "a\u{fffd}b\u{fffd}c\u{241b}[2J";
        assert_eq!(
            page,
            format!(
                "<h1><bdi>{calm}</bdi></h1><input value=\"{odd}\"><button data-copy=\"{odd}\"></button>\
                 <span title=\"{calm}\" data-copy=\"{odd}\" aria-label=\"&quot;{calm}\"></span>\
                 <textarea name=\"x\">{odd}</textarea><p>1 &lt; 2 &gt; 0 {calm}</p>"
            )
        );
        assert!(matches!(visible_page("<p>é\n\t</p>"), Cow::Borrowed(_)));
    }
}
