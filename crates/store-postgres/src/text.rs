//! Texts as PostgreSQL takes them: it has no place for U+0000, which receivers, scripts and providers may write.
//!
//! U+0000 and U+0001 become two characters each, so that nothing is lost, different texts stay different, and their
//! order stays what it was. All else stays as it is.

use std::borrow::Cow;

/// Begins what stands for U+0000, and for itself.
const MARK: char = '\u{1}';

/// As it is written.
pub(crate) fn writable(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', MARK]) {
        return Cow::Borrowed(text);
    }
    let mut written = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\0' => written.push_str("\u{1}\u{1}"),
            MARK => written.push_str("\u{1}\u{2}"),
            other => written.push(other),
        }
    }
    Cow::Owned(written)
}

/// Whether it was given in another way than it is written.
pub(crate) fn is_rewritten(written: &str) -> bool {
    written.contains(MARK)
}

/// As it was given.
pub(crate) fn as_given(written: &str) -> String {
    let mut given = String::with_capacity(written.len());
    let mut rest = written.chars();
    while let Some(character) = rest.next() {
        given.push(match character {
            MARK if rest.next() == Some(MARK) => '\0',
            other => other,
        });
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_read_as_it_was_given_and_stands_where_it_stood() {
        let parts = ["", "\0", "\u{1}", "\u{2}", "a"];
        let mut texts: Vec<String> = Vec::new();
        for one in parts {
            texts.extend(parts.iter().flat_map(|two| parts.map(|three| format!("{one}{two}{three}"))));
        }
        texts.sort();
        texts.dedup();
        let written: Vec<_> = texts.iter().map(|text| writable(text).into_owned()).collect();
        assert!(written.is_sorted_by(|one, other| one < other), "{written:?}");
        for (text, written) in texts.iter().zip(&written) {
            assert!(!written.contains('\0'));
            assert_eq!(is_rewritten(written), text != written);
            assert_eq!(as_given(written), *text);
        }
    }
}
