//! Rust text without its comments and strings, line for line, so that rules can look for words.

/// The text with comments and the contents of literals blanked out; line breaks stay.
pub fn code_only(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = literal_or_comment(rest, out.chars().next_back());
        let taken = if skipped > 0 { skipped } else { first.len_utf8() };
        let (piece, after) = rest.split_at(taken);
        if skipped > 0 {
            out.extend(piece.chars().map(|character| if character == '\n' { '\n' } else { ' ' }));
        } else {
            out.push(first);
        }
        rest = after;
    }
    out
}

/// How many bytes of comment or literal the text starts with.
fn literal_or_comment(rest: &str, before: Option<char>) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    let in_word = before.is_some_and(|character| character.is_alphanumeric() || character == '_');
    if !in_word {
        let raw = raw_string(rest);
        if raw > 0 {
            return raw;
        }
    }
    if rest.starts_with('"') {
        return quoted(rest, '"');
    }
    if rest.starts_with('\'') {
        return character_literal(rest);
    }
    0
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn raw_string(rest: &str) -> usize {
    let body = rest.strip_prefix('b').unwrap_or(rest);
    let Some(body) = body.strip_prefix('r') else { return 0 };
    let hashes = body.len() - body.trim_start_matches('#').len();
    if !body[hashes..].starts_with('"') {
        return 0;
    }
    let start = rest.len() - body.len() + hashes + 1;
    let end = format!("\"{}", "#".repeat(hashes));
    rest[start..].find(&end).map_or(rest.len(), |found| start + found + end.len())
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + character.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// A lifetime starts like a character literal but has no second quote behind one character.
fn character_literal(rest: &str) -> usize {
    let mut characters = rest.char_indices().skip(1);
    match (characters.next(), characters.next()) {
        (Some((_, '\\')), _) => quoted(rest, '\''),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

/// For every line, whether it lies in a `#[cfg(test)]` module. Takes text from [`code_only`].
pub fn test_lines(code: &str) -> Vec<bool> {
    let mut inside = Vec::new();
    let (mut depth, mut begins, mut marked) = (0_i64, None, false);
    for line in code.lines() {
        marked |= line.contains("#[cfg(test)]");
        let opens_module = marked && line.contains("mod ") && line.contains('{');
        if opens_module && begins.is_none() {
            begins = Some(depth);
            marked = false;
        } else if marked && line.contains(';') {
            marked = false;
        }
        inside.push(begins.is_some());
        for character in line.chars() {
            depth += match character {
                '{' => 1,
                '}' => -1,
                _ => 0,
            };
        }
        if begins.is_some_and(|outer| depth <= outer) {
            begins = None;
        }
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_and_lines_stay() {
        let text =
            "let a = \"x // y\"; // z\n/* b\n/* c */ */ let d: &'a str = r#\"e\"f\"#;\nlet g = '\"'; h('\\'', b\"i\");";
        let code = code_only(text);
        assert_eq!(code.lines().count(), text.lines().count());
        for gone in ["x", "y", "z", "b", "c */", "e", "f", "i"] {
            let word = code.split(|c: char| !c.is_alphanumeric()).any(|word| word == gone);
            assert!(!word || gone == "b", "{gone:?} is left in {code:?}");
        }
        for kept in ["let a", "let d: &'a str", "let g", "h("] {
            assert!(code.contains(kept), "{kept:?} is gone from {code:?}");
        }
    }

    #[test]
    fn test_modules_are_found_to_their_end() {
        let code = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {\n    }\n}\nfn c() {}\n#[cfg(test)]\nmod more;\nfn d() {}\n";
        assert_eq!(test_lines(code), [false, false, true, true, true, true, false, false, false, false]);
    }
}
