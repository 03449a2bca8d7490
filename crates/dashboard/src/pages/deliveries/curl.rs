//! The request of an attempt as a line for a terminal.

use tidings_contract::delivery::RequestBody;

/// What history shows in the place of a secret.
const MASK: &str = "********";

/// The same request as it was sent: every header, the same bytes. What history masks are variables
/// of the shell, named after their headers.
pub(crate) fn curl(request: &RequestBody) -> String {
    // Of credentials in an address, only the @ is shown.
    let url = request.url.replacen("//***@", &format!("//{MASK}@"), 1);
    let mut lines = vec![format!("curl -X POST {}", quoted(&url, "CREDENTIALS"))];
    for (name, value) in &request.headers {
        lines.push(format!("  -H {}", quoted(&format!("{name}: {value}"), &variable(name))));
    }
    if !request.body.is_empty() {
        lines.push(format!("  --data-binary {}", body(&request.body)));
    }
    lines.join(" \\\n")
}

/// `x-webhook-signature` as `X_WEBHOOK_SIGNATURE`.
fn variable(header: &str) -> String {
    let legal = |character: char| if character.is_ascii_alphanumeric() { character.to_ascii_uppercase() } else { '_' };
    header.chars().map(legal).collect()
}

/// A word that the shell leaves as it is, but for the variable in the place of what is masked.
fn quoted(text: &str, variable: &str) -> String {
    if !text.contains(MASK) {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let mut escaped = String::new();
    for character in text.chars() {
        if matches!(character, '"' | '\\' | '$' | '`') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    format!("\"{}\"", escaped.replace(MASK, &format!("${variable}")))
}

fn body(text: &str) -> String {
    // Bytes that are no text cannot be an argument, nor be copied from a page.
    let is_text = text.chars().all(|character| character != '\u{fffd}' && character != '\0');
    // curl would read a file whose name follows the first character.
    match (is_text, text.starts_with('@')) {
        (true, false) => quoted_body(text),
        _ => "@payload.bin".to_owned(),
    }
}

/// Even what looks masked is part of the body.
fn quoted_body(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)], body: &str) -> RequestBody {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        RequestBody {
            url: "https://example.com/hook?a='b'".to_owned(),
            headers,
            body: body.to_owned(),
            body_base64: None,
        }
    }

    #[test]
    fn nothing_of_a_request_means_anything_to_the_shell() {
        let headers = [("x-evil", "$(rm -rf ~) `id`"), ("x-signature", "t=1,s=********,\"$HOME\"")];
        let line = curl(&request(&headers, "{\"a\":\"it's ********\"}"));
        let expected = r#"curl -X POST 'https://example.com/hook?a='\''b'\''' \
  -H 'x-evil: $(rm -rf ~) `id`' \
  -H "x-signature: t=1,s=$X_SIGNATURE,\"\$HOME\"" \
  --data-binary '{"a":"it'\''s ********"}'"#;
        assert_eq!(line, expected);
    }

    #[test]
    fn credentials_of_an_address_are_a_variable() {
        let request = RequestBody { url: "https://***@example.com/a".to_owned(), ..request(&[], "") };
        assert_eq!(curl(&request), "curl -X POST \"https://$CREDENTIALS@example.com/a\"");
    }

    #[test]
    fn what_is_no_text_is_a_file() {
        for body in ["\u{fffd}PNG", "a\0b", "@/etc/passwd"] {
            assert!(curl(&request(&[], body)).ends_with("--data-binary @payload.bin"), "{body:?}");
        }
        assert!(!curl(&request(&[], "")).contains("--data"));
    }
}
