//! Writing HTML: what is not markup is escaped.

/// A page or a part of one.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// Markup as it stands in this crate's source.
    pub(super) fn raw(&mut self, markup: &str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text, escaped for elements and for attributes in double quotes.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                other => self.0.push(other),
            }
        }
        self
    }

    /// Text in which what stands in backticks is code.
    pub(super) fn prose(&mut self, text: &str) -> &mut Self {
        for (place, part) in text.split('`').enumerate() {
            if place % 2 == 0 {
                self.text(part);
            } else {
                self.code(part);
            }
        }
        self
    }

    /// A word of the API.
    pub(super) fn code(&mut self, text: &str) -> &mut Self {
        self.raw("<code>").text(text).raw("</code>")
    }

    /// A block of code.
    pub(super) fn block(&mut self, text: &str) -> &mut Self {
        self.raw("<pre tabindex=\"0\"><code>").text(text).raw("</code></pre>")
    }

    /// A link; `href` is made by this crate.
    pub(super) fn link(&mut self, href: &str, text: &str) -> &mut Self {
        self.raw("<a href=\"").text(href).raw("\">").text(text).raw("</a>")
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        let mut html = Html::default();
        html.prose("a <b> & `\"c\"<script>` d").link("/x\"y", "'z'");
        let expected = "a &lt;b&gt; &amp; <code>&quot;c&quot;&lt;script&gt;</code> d\
                        <a href=\"/x&quot;y\">&#39;z&#39;</a>";
        assert_eq!(html.into_string(), expected);
    }
}
