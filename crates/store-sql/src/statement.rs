//! A statement: its name, and how it reads.

/// A statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Statement {
    name: &'static str,
    text: Option<&'static str>,
}

impl Statement {
    /// It reads alike in all dialects.
    pub(crate) const fn everywhere(name: &'static str, text: &'static str) -> Self {
        Self { name, text: Some(text) }
    }

    /// Each dialect has its own way.
    pub(crate) const fn by_dialect(name: &'static str) -> Self {
        Self { name, text: None }
    }

    /// Its file's name.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// How it reads everywhere, with `?1` for the first parameter; `None` if each dialect has its own way.
    pub fn text(self) -> Option<&'static str> {
        self.text
    }
}
