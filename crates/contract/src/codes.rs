//! Every error code, its status, what it means and what to do.

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:literal, $title:literal, $way_out:literal;)*) => {
        /// A stable error code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($(#[$doc])* $name,)*
        }

        impl ErrorCode {
            /// All codes.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code's text.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// The HTTP status it comes with.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status),* }
            }

            /// The kind of problem in a few words.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),* }
            }

            /// What to do about it.
            pub const fn way_out(self) -> &'static str {
                match self { $(Self::$name => $way_out),* }
            }
        }
    };
}

codes! {
    /// The body is no JSON.
    MalformedJson = "malformed_json", 400, "The body is not JSON", "Send UTF-8 encoded JSON (RFC 8259), nested at most 64 levels deep.";
    /// Something about the request's form is wrong.
    MalformedRequest = "malformed_request", 400, "The request is malformed", "Correct the query parameter or header that the detail names.";
    /// No key was given.
    MissingCredentials = "missing_credentials", 401, "No API key was given", "Send the header X-API-Key: KEY or Authorization: Bearer KEY.";
    /// The key is not known.
    InvalidApiKey = "invalid_api_key", 401, "The API key is not known", "Check that the key was copied whole; make a new one if it was lost.";
    /// The request to a source is not from whom it should be.
    InvalidSignature = "invalid_signature", 401, "The signature is not valid", "Check that the source has the secret its provider signs with, and that nothing between the two changes the body.";
    /// The key was revoked.
    ApiKeyRevoked = "api_key_revoked", 401, "The API key was revoked", "Make a new key.";
    /// The key has expired.
    ApiKeyExpired = "api_key_expired", 401, "The API key has expired", "Make a new key with a later expires_at.";
    /// The key may not do this.
    InsufficientScope = "insufficient_scope", 403, "The API key may not do this", "Use a key that has the scope the detail names.";
    /// The organization's plan allows no more.
    LimitExceeded = "limit_exceeded", 403, "The plan's limit is reached", "Delete what is not needed, or choose another plan at upgrade_url.";
    /// The secret was shown once.
    SecretNotRevealable = "secret_not_revealable", 403, "The secret was shown once and is not shown again", "Rotate the secret to get a new one; only webhooks of the profile botsubscription show theirs again.";
    /// A source gives its challenge back to its provider alone.
    HandshakeRefused = "handshake_refused", 403, "The source's handshake was refused", "Check that the provider has the token that stands in the source's handshake.";
    /// The URL is not one that was made here, or no longer good.
    InvalidHookUrl = "invalid_hook_url", 403, "The URL is not valid", "Use the URL exactly as it was given; ask whoever gave it for a new one.";
    /// There is no such thing, or it belongs to somebody else.
    NotFound = "not_found", 404, "There is no such thing", "Check the id and the project: things of other projects are not found either.";
    /// The path knows other methods.
    MethodNotAllowed = "method_not_allowed", 405, "The path does not know this method", "Use one of the methods in the header Allow.";
    /// The request did not arrive in time.
    RequestTimeout = "request_timeout", 408, "The request did not arrive in time", "Send the whole request without pauses.";
    /// The idempotency key was used for another request.
    IdempotencyConflict = "idempotency_conflict", 409, "The idempotency key was used for another request", "Use a new key for a new request.";
    /// The name or id is taken.
    AlreadyExists = "already_exists", 409, "It exists already", "Choose another name or id, or use the one that exists.";
    /// It changed while it was being changed.
    ChangedMeanwhile = "changed_meanwhile", 409, "It was changed by somebody else meanwhile", "Read it again and repeat the change.";
    /// Nobody would be left who may do everything.
    LastOwner = "last_owner", 409, "Nobody would be left who may do everything", "Make somebody else an owner, or an operator, first.";
    /// The webhook gets nothing.
    WebhookDisabled = "webhook_disabled", 409, "The webhook is disabled or deleted", "Enable the webhook, or retry with force.";
    /// The payload is gone.
    PayloadExpunged = "payload_expunged", 409, "The event's payload was deleted", "Publish the event again, if its data still exist.";
    /// Somebody is sending it.
    InFlight = "in_flight", 409, "A delivery of it is being sent at this moment", "Repeat the request in a moment, or disable the webhook first.";
    /// What is there is not what the change wants to find.
    PreconditionFailed = "precondition_failed", 412, "It was changed by somebody else since it was read", "Read it again, look at what is different, and send the change with the new ETag in If-Match.";
    /// The body is larger than allowed.
    PayloadTooLarge = "payload_too_large", 413, "The body is too large", "Send at most max_bytes bytes.";
    /// The body's content type is not understood.
    UnsupportedMediaType = "unsupported_media_type", 415, "The content type is not supported", "Send Content-Type: application/json, without a content encoding.";
    /// Fields are missing, unknown or wrong.
    ValidationFailed = "validation_failed", 422, "Fields are missing, unknown or wrong", "Correct the fields listed in errors.";
    /// The catalogue has no such event type.
    UnknownEventType = "unknown_event_type", 422, "The event type is not in the catalogue", "Create the event type first, or correct the name.";
    /// The payload breaks its type's schema.
    SchemaViolation = "schema_violation", 422, "The payload breaks the schema of its event type", "Correct the places listed in errors, name the schema_version that the payload follows, or give the event type a new version of its schema.";
    /// The address may not be called.
    UrlNotAllowed = "url_not_allowed", 422, "The address may not be called", "Use a public https address; the reason says which rule refused this one.";
    /// Too much of this at a time.
    RateLimited = "rate_limited", 429, "Too many such requests are under way", "Repeat the request after the time in Retry-After.";
    /// More is waiting than may wait.
    BacklogFull = "backlog_full", 429, "Too many events are waiting to be written", "Repeat the request after the time in Retry-After, with the same idempotency key.";
    /// Something unexpected happened here.
    Internal = "internal", 500, "Something went wrong here", "Repeat the request; if it stays, give the operator the request_id.";
    /// It does not work at the moment.
    Unavailable = "unavailable", 503, "The service cannot answer at the moment", "Repeat the request after the time in Retry-After, with the same idempotency key.";
    /// The command behind a URL did not succeed.
    CommandFailed = "command_failed", 503, "The command failed", "The detail says why; whoever wrote the command finds the run with its console under GET /runs.";
    /// There is no room for anything new.
    StorageFull = "storage_full", 507, "The disk is full", "The operator has to make room; nothing that was acknowledged is lost.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_snake_case_and_errors() {
        let texts: std::collections::BTreeSet<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), ErrorCode::ALL.len());
        assert!(texts.iter().all(|text| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
        assert!(ErrorCode::ALL.iter().all(|code| (400..600).contains(&code.status())));
    }
}
