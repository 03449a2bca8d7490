//! What a page confirms after something was done, where it is seen nowhere else.

/// What stands in the address for a word: nobody can make a page confirm what did not happen by a link, since the end
/// is made with the session's own secret.
pub(crate) fn word(said: &str, csrf: &str) -> String {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, csrf.as_bytes());
    let tag = aws_lc_rs::hmac::sign(&key, said.as_bytes());
    let end: String = tag.as_ref()[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{said}.{end}")
}

/// The sentence for what stands in the address, if this session was led there.
pub(crate) fn of(text: &str, csrf: &str) -> Option<&'static str> {
    let (said, _) = text.rsplit_once('.')?;
    (word(said, csrf) == text).then(|| sentence(said)).flatten()
}

/// The sentence for a word. Only these: nobody can put words into our mouth by a link.
pub(crate) fn sentence(word: &str) -> Option<&'static str> {
    Some(match word {
        "webhook-saved" => "The webhook is saved.",
        "webhook-deleted" => "The webhook is deleted, for good.",
        "webhook-enabled" => "The webhook is enabled. What was held goes out now.",
        "webhook-disabled" => "The webhook is disabled. Nothing is sent to it.",
        "webhook-paused" => "The webhook is paused. Its deliveries are held; nothing is lost.",
        "webhook-resumed" => "The webhook is resumed. What was held goes out now.",
        "test-taken" => "The receiver took the test.",
        "test-not-taken" => "The receiver did not take the test. What it answered stands below.",
        "event-published" => "The event is published. Who gets it is seen below.",
        "event-published-to-nobody" => "The event is published and stored. No webhook wants it.",
        "event-replayed" => "The event is being sent again, as new deliveries.",
        "event-replayed-to-nobody" => "No webhook wants such an event now; nothing was sent.",
        "payload-expunged" => "The payload is expunged, for good.",
        "job-cancelled" => "The job is cancelled. What it sent stays sent.",
        "source-created" => "The source is created. Its URL stands below.",
        "source-saved" => "The source is saved.",
        "source-enabled" => "The source is enabled.",
        "source-disabled" => "The source is disabled. Its address answers 404.",
        "source-deleted" => "The source is deleted, for good.",
        "source-asks" => "The provider is being asked.",
        "receipt-replayed" => "Everything about the receipt is done again.",
        "record-saved" => "The record is saved.",
        "record-deleted" => "The record is deleted.",
        "retried" => "The delivery is being sent again.",
        "type-saved" => "The event type is saved.",
        "type-deleted" => "The event type is deleted, for good.",
        "type-archived" => "The event type is archived. New events of it are refused.",
        "type-in-use" => "The event type takes events again.",
        "types-taken" => "The preset's event types are in the catalogue.",
        "version-retired" => "The version is retired. Events cannot follow it any more.",
        "command-saved" => "The command is saved.",
        "command-deleted" => "The command is deleted, for good. Its hook URLs are refused.",
        "run-again" => "It ran again with what it was given.",
        "limits-saved" => "The limits are saved.",
        "bot-saved" => "The bot is saved. Its old URLs run the project's commands.",
        "bot-removed" => "The bot is removed. Its old URLs are refused.",
        "project-saved" => "The project is saved.",
        "project-deleted" => "The project is deleted, for good.",
        "organization-saved" => "The organization is saved.",
        "key-revoked" => "The key is revoked. Whatever uses it is refused.",
        "project-made" => "The project is made.",
        "organization-made" => "The organization is made, with a project of its own.",
        "organization-deleted" => "The organization is deleted, for good.",
        "plan-changed" => "The organization has the plan now.",
        "member-changed" => "The role is changed.",
        "member-removed" => "They are removed.",
        "invite-withdrawn" => "The invite is withdrawn. Its link is no longer good.",
        "password-changed" => "The password is changed. You are signed out everywhere else.",
        "session-ended" => "The session is ended.",
        "sessions-ended" => "All other sessions are ended.",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_happened_is_confirmed() {
        let told = word("webhook-deleted", "mine");
        assert_eq!(of(&told, "mine"), sentence("webhook-deleted"));
        for forged in ["webhook-deleted", "webhook-deleted.000000000000", &word("webhook-deleted", "another's")] {
            assert_eq!(of(forged, "mine"), None, "{forged}");
        }
    }
}
