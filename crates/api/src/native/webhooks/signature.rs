//! The signature of a webhook, in requests and answers.

use tidings_contract::{problem::FieldError, webhook::SignatureBody};
use tidings_domain::{
    signature::{Encoding, SignatureLayout, SignatureScheme, SignedContent},
    webhook::check_signature_header,
};

use crate::error::field_error;

const SIGNED: [(&str, SignedContent); 3] = [
    ("{timestamp}.{body}", SignedContent::TimestampBody),
    ("{body}", SignedContent::Body),
    ("{id}.{timestamp}.{body}", SignedContent::IdTimestampBody),
];
/// Of `standard`: whether it signs with a key pair.
const ALGORITHMS: [(&str, bool); 2] = [("sha256", false), ("ed25519", true)];
const ENCODINGS: [(&str, Encoding); 2] = [("hex", Encoding::Hex), ("base64", Encoding::Base64)];

fn choose<T: Copy>(field: &str, given: Option<&str>, known: &[(&str, T)]) -> Result<T, FieldError> {
    let names = || known.iter().map(|(name, _)| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    match given {
        None => Ok(known[0].1),
        Some(text) => known
            .iter()
            .find(|(name, _)| *name == text)
            .map(|&(_, value)| value)
            .ok_or_else(|| field_error(field, "invalid", format!("must be one of {}", names()))),
    }
}

/// Reads a signature; what `hmac` leaves out is `t={timestamp},v1={signature}` over
/// `{timestamp}.{body}` in hex, which is what most receivers know.
pub(super) fn read_signature(body: SignatureBody) -> Result<SignatureScheme, Vec<FieldError>> {
    let mut errors = Vec::new();
    match body.scheme.as_str() {
        "standard" => {
            let given = [
                ("header", body.header.is_some()),
                ("layout", body.layout.is_some()),
                ("signed", body.signed.is_some()),
                ("encoding", body.encoding.is_some()),
            ];
            // An answer's signature can be sent back as it is: only `standard` alone has no parts.
            for (name, _) in given.into_iter().filter(|(_, given)| *given) {
                let message = "is fixed by the scheme \"standard\"; leave it out, or use the scheme \"hmac\"";
                errors.push(field_error(&format!("signature.{name}"), "invalid", message));
            }
            let scheme = choose("signature.algorithm", body.algorithm.as_deref(), &ALGORITHMS);
            match scheme.map_err(|error| errors.push(error)) {
                Ok(ed25519) if errors.is_empty() && ed25519 => Ok(SignatureScheme::StandardEd25519),
                Ok(_) if errors.is_empty() => Ok(SignatureScheme::Standard),
                _ => Err(errors),
            }
        }
        "hmac" => {
            let header = body.header.unwrap_or_else(|| "X-Webhook-Signature".to_owned());
            if let Err(error) = check_signature_header(&header) {
                errors.push(field_error("signature.header", "invalid", error.to_string()));
            }
            if body.algorithm.as_deref().is_some_and(|algorithm| algorithm != "sha256") {
                errors.push(field_error("signature.algorithm", "invalid", "must be \"sha256\""));
            }
            let layout = SignatureLayout::parse(body.layout.as_deref().unwrap_or("t={timestamp},v1={signature}"))
                .map_err(|message| errors.push(field_error("signature.layout", "invalid", message)));
            let signed =
                choose("signature.signed", body.signed.as_deref(), &SIGNED).map_err(|error| errors.push(error));
            let encoding =
                choose("signature.encoding", body.encoding.as_deref(), &ENCODINGS).map_err(|error| errors.push(error));
            match (layout, signed, encoding) {
                (Ok(layout), Ok(signed), Ok(encoding)) if errors.is_empty() => {
                    Ok(SignatureScheme::Hmac { header, layout, signed, encoding })
                }
                _ => Err(errors),
            }
        }
        _ => Err(vec![field_error("signature.scheme", "invalid", "must be \"standard\" or \"hmac\"")]),
    }
}

/// Shows a signature.
pub(super) fn signature_body(scheme: &SignatureScheme) -> SignatureBody {
    let name_of = |wanted: SignedContent| SIGNED.iter().find(|(_, signed)| *signed == wanted).map(|(name, _)| *name);
    let empty = SignatureBody {
        scheme: "standard".to_owned(),
        header: None,
        layout: None,
        signed: None,
        algorithm: None,
        encoding: None,
    };
    match scheme {
        SignatureScheme::Standard => empty,
        SignatureScheme::StandardEd25519 => SignatureBody { algorithm: Some("ed25519".to_owned()), ..empty },
        SignatureScheme::Hmac { header, layout, signed, encoding } => SignatureBody {
            scheme: "hmac".to_owned(),
            header: Some(header.clone()),
            layout: Some(String::from(layout.clone())),
            signed: name_of(*signed).map(str::to_owned),
            algorithm: Some("sha256".to_owned()),
            encoding: ENCODINGS.iter().find(|(_, known)| known == encoding).map(|(name, _)| (*name).to_owned()),
        },
    }
}
