//! Licence expressions (SPDX), as far as they occur.

use std::collections::BTreeSet;

/// Whether an expression can be met with these licences. `/` is how old packages write `OR`.
pub fn is_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words, allowed };
    let met = reader.any();
    met == Some(true) && reader.words.is_empty()
}

/// Reads from the left; `None`: no expression.
struct Reader<'a> {
    words: &'a [&'a str],
    allowed: &'a BTreeSet<String>,
}

impl Reader<'_> {
    fn takes(&mut self, word: &str) -> bool {
        let is_next = self.words.first() == Some(&word);
        if is_next {
            self.words = &self.words[1..];
        }
        is_next
    }

    fn any(&mut self) -> Option<bool> {
        let mut met = self.all()?;
        while self.takes("OR") {
            met |= self.all()?;
        }
        Some(met)
    }

    fn all(&mut self) -> Option<bool> {
        let mut met = self.one()?;
        while self.takes("AND") {
            met &= self.one()?;
        }
        Some(met)
    }

    fn one(&mut self) -> Option<bool> {
        if self.takes("(") {
            let met = self.any()?;
            return self.takes(")").then_some(met);
        }
        let (&name, rest) = self.words.split_first()?;
        self.words = rest;
        if !self.takes("WITH") {
            return Some(self.allowed.contains(name));
        }
        let (&exception, rest) = self.words.split_first()?;
        self.words = rest;
        // An exception only allows more.
        Some(self.allowed.contains(name) || self.allowed.contains(&format!("{name} WITH {exception}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_met_or_not() {
        let allowed: BTreeSet<_> = ["MIT", "Apache-2.0", "ISC"].map(str::to_owned).into();
        for met in [
            "MIT",
            "MIT/GPL-2.0",
            "GPL-2.0 OR MIT",
            "(MIT OR Apache-2.0) AND ISC",
            "ISC AND (Apache-2.0 OR GPL-2.0) AND MIT",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
        ] {
            assert!(is_allowed(met, &allowed), "{met}");
        }
        for unmet in ["", "GPL-2.0", "MIT AND GPL-2.0", "(MIT OR ISC) AND GPL-2.0", "MIT OR", "(MIT", "MIT ISC", "AND"]
        {
            assert!(!is_allowed(unmet, &allowed), "{unmet}");
        }
    }
}
