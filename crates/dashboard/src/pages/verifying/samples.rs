//! Code that verifies what a scheme signs, in two languages: as it is run by whoever copies it, without a library.

use serde_json::json;
use tidings_domain::signature::{Encoding, SignatureScheme, SignedContent};

/// A language and the code in it.
pub(super) struct Sample {
    pub(super) language: &'static str,
    pub(super) code: String,
}

/// What is signed and sent in no header: then nobody who has the request can verify it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    Time,
    Id,
}

/// `names_event`: whether requests have the headers that name event and delivery.
pub(super) fn missing(scheme: &SignatureScheme, names_event: bool) -> Option<Missing> {
    let SignatureScheme::Hmac { layout, signed, .. } = scheme else { return None };
    if *signed != SignedContent::Body && !String::from(layout.clone()).contains("{timestamp}") {
        return Some(Missing::Time);
    }
    (*signed == SignedContent::IdTimestampBody && !names_event).then_some(Missing::Id)
}

/// Code for a scheme. In both languages `verify` takes the secret (of a key pair the public key), the headers by their
/// names in lower case, and the body's bytes as they came.
pub(super) fn of(scheme: &SignatureScheme) -> [Sample; 2] {
    let (python, node) = match scheme {
        SignatureScheme::Standard => (STANDARD_PYTHON.to_owned(), STANDARD_NODE.to_owned()),
        SignatureScheme::StandardEd25519 => (ED25519_PYTHON.to_owned(), ED25519_NODE.to_owned()),
        SignatureScheme::Hmac { header, layout, signed, encoding } => {
            let form = Form {
                header: json!(header.to_ascii_lowercase()).to_string(),
                layout: String::from(layout.clone()),
                signed: *signed,
                encoding: *encoding,
            };
            (form.python(), form.node())
        }
    };
    [Sample { language: "Python", code: python }, Sample { language: "Node.js", code: node }]
}

const STANDARD_PYTHON: &str = r#"import base64, hashlib, hmac, re, time

def verify(secret: str, headers, body: bytes, tolerance_s: int = 300) -> bool:
    timestamp = headers.get("webhook-timestamp", "")
    if not re.fullmatch("[0-9]{1,15}", timestamp) or abs(time.time() - int(timestamp)) > tolerance_s:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers.get('webhook-id', '')}.{timestamp}.".encode("utf-8", "replace") + body
    expected = b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    given = headers.get("webhook-signature", "").encode("utf-8", "replace")
    # While two secrets overlap, each signs.
    return any(hmac.compare_digest(expected, value) for value in given.split(b" "))
"#;

const STANDARD_NODE: &str = r#"import { createHmac, timingSafeEqual } from "node:crypto";

export function verify(secret, headers, body, toleranceS = 300) {
  const timestamp = headers["webhook-timestamp"];
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= toleranceS)) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const expected = createHmac("sha256", key).update(`${headers["webhook-id"] ?? ""}.${timestamp}.`).update(body).digest();
  // While two secrets overlap, each signs.
  return (headers["webhook-signature"] ?? "").split(" ").some((value) => {
    const given = Buffer.from(value.replace(/^v1,/, ""), "base64");
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}
"#;

const ED25519_PYTHON: &str = r#"import base64, re, time
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

def verify(public_key: str, headers, body: bytes, tolerance_s: int = 300) -> bool:
    timestamp = headers.get("webhook-timestamp", "")
    if not re.fullmatch("[0-9]{1,15}", timestamp) or abs(time.time() - int(timestamp)) > tolerance_s:
        return False
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key.removeprefix("whpk_")))
    signed = f"{headers.get('webhook-id', '')}.{timestamp}.".encode("utf-8", "replace") + body
    for given in headers.get("webhook-signature", "").split(" "):
        try:
            key.verify(base64.b64decode(given.removeprefix("v1a,")), signed)
            return True
        except (InvalidSignature, ValueError):
            pass  # No signature, or not of this key: while two overlap, each signs.
    return False
"#;

const ED25519_NODE: &str = r#"import { createPublicKey, verify as check } from "node:crypto";

export function verify(publicKey, headers, body, toleranceS = 300) {
  const timestamp = headers["webhook-timestamp"];
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= toleranceS)) return false;
  const x = Buffer.from(publicKey.replace(/^whpk_/, ""), "base64").toString("base64url");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  const signed = Buffer.concat([Buffer.from(`${headers["webhook-id"] ?? ""}.${timestamp}.`), body]);
  // While two keys overlap, each signs.
  return (headers["webhook-signature"] ?? "").split(" ").some((value) =>
    check(null, signed, key, Buffer.from(value.replace(/^v1a,/, ""), "base64")));
}
"#;

/// The header that holds the event's id, where none of a scheme's own does.
const ID_HEADER: &str = "x-tidings-event-id";

/// One header of a chosen form.
struct Form {
    /// Its name in lower case, as a literal of both languages.
    header: String,
    layout: String,
    signed: SignedContent,
    encoding: Encoding,
}

impl Form {
    /// The header's value as an expression that both languages read alike, as a literal of both.
    fn expression(&self) -> String {
        let mut expression = String::new();
        let mut rest = self.layout.as_str();
        while let Some(first) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix("{timestamp}") {
                expression.push_str("([0-9]{1,15})");
                rest = after;
            } else if let Some(after) = rest.strip_prefix("{signature}") {
                expression.push_str("([A-Za-z0-9+/=]+)");
                rest = after;
            } else {
                if !first.is_ascii_alphanumeric() && first != ' ' {
                    expression.push('\\');
                }
                expression.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
        json!(format!("^{expression}$")).to_string()
    }

    fn has_time(&self) -> bool {
        self.layout.contains("{timestamp}")
    }

    /// What the header holds, in its order.
    fn places(&self) -> &'static str {
        match (self.has_time(), self.layout.find("{timestamp}") < self.layout.find("{signature}")) {
            (false, _) => "signature",
            (true, true) => "timestamp, signature",
            (true, false) => "signature, timestamp",
        }
    }

    fn python(&self) -> String {
        let comma = if self.places() == "signature" { "," } else { "" };
        let tolerance = if self.has_time() { ", tolerance_s: int = 300" } else { "" };
        let base64 = if self.encoding == Encoding::Base64 { "base64, " } else { "" };
        let time = if self.has_time() { ", time" } else { "" };
        let mut code = format!("import {base64}hashlib, hmac, re{time}\n\n");
        code.push_str(&format!("def verify(secret: str, headers, body: bytes{tolerance}) -> bool:\n"));
        code.push_str(&format!(
            "    found = re.search({}, headers.get({}, \"\"))\n    if not found:\n        return False\n    {}{comma} = found.groups()\n",
            self.expression(),
            self.header,
            self.places()
        ));
        if self.has_time() {
            code.push_str("    if abs(time.time() - int(timestamp)) > tolerance_s:\n        return False\n");
        }
        let signed = match self.signed {
            SignedContent::Body => "body".to_owned(),
            SignedContent::TimestampBody => "timestamp.encode() + b\".\" + body".to_owned(),
            SignedContent::IdTimestampBody => {
                format!("f\"{{headers.get('{ID_HEADER}', '')}}.{{timestamp}}.\".encode(\"utf-8\", \"replace\") + body")
            }
        };
        code.push_str(&format!("    digest = hmac.new(secret.encode(), {signed}, hashlib.sha256)\n"));
        code.push_str(match self.encoding {
            Encoding::Hex => "    return hmac.compare_digest(digest.hexdigest(), signature)\n",
            Encoding::Base64 => {
                "    return hmac.compare_digest(base64.b64encode(digest.digest()).decode(), signature)\n"
            }
        });
        code
    }

    fn node(&self) -> String {
        let mut code = "import { createHmac, timingSafeEqual } from \"node:crypto\";\n\n".to_owned();
        let tolerance = if self.has_time() { ", toleranceS = 300" } else { "" };
        code.push_str(&format!("export function verify(secret, headers, body{tolerance}) {{\n"));
        code.push_str(&format!(
            "  const found = new RegExp({}).exec(headers[{}] ?? \"\");\n  if (!found) return false;\n  const [, {}] = found;\n",
            self.expression(),
            self.header,
            self.places()
        ));
        if self.has_time() {
            code.push_str("  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= toleranceS)) return false;\n");
        }
        let before = match self.signed {
            SignedContent::Body => String::new(),
            SignedContent::TimestampBody => ".update(`${timestamp}.`)".to_owned(),
            SignedContent::IdTimestampBody => {
                format!(".update(`${{headers[\"{ID_HEADER}\"] ?? \"\"}}.${{timestamp}}.`)")
            }
        };
        let encoding = if self.encoding == Encoding::Hex { "hex" } else { "base64" };
        code.push_str(&format!(
            "  const expected = createHmac(\"sha256\", secret){before}.update(body).digest();\n  const given = \
             Buffer.from(signature, \"{encoding}\");\n  return given.length === expected.length && \
             timingSafeEqual(given, expected);\n}}\n"
        ));
        code
    }
}
