//! What a page confirms after something was done, where it is seen nowhere else.

/// The sentence for a word in the address. Only these: nobody can put words into our mouth by a link.
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
        _ => return None,
    })
}
