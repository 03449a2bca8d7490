//! What stands below the editor: how long a run may take, and when the command runs by itself.

use maud::{Markup, html};
use tidings_domain::command::Concurrency;

use super::editor::Sheet;
use crate::{
    parts::{Fields, until},
    visit::Visit,
};

pub(super) fn settings(visit: &Visit, fields: &Fields<'_>, sheet: &Sheet<'_>) -> Markup {
    let when =
        [("never", "Only when it is asked for"), ("every", "Every so many seconds"), ("cron", "By a calendar (cron)")];
    let concurrency = [
        (Concurrency::Parallel.as_str(), "Runs beside itself"),
        (Concurrency::OneAtATime.as_str(), "One at a time, in order"),
        (Concurrency::Latest.as_str(), "One at a time, only the latest waits"),
    ];
    html! {
        section .panel {
            header .panel-head {
                h2 { "Settings" }
                p { "saved with the code" }
            }
            section .form-section {
                header { h3 { "Time" } p { "A run that is not done in time is ended, and nothing of it happens." } }
                div {
                    div .pair {
                        (fields.line(
                            "number",
                            "timeout_ms",
                            "Timeout in milliseconds",
                            "10 to 25,000, and not more than the plan allows.",
                        ))
                        (fields.choice(
                            "concurrency",
                            "While it runs already",
                            "What reads, changes and writes back: one at a time.",
                            &concurrency,
                        ))
                    }
                }
            }
            section .form-section {
                header {
                    h3 { "Schedule" }
                    p { (next_words(visit, sheet)) }
                }
                div {
                    (fields.choice("when", "Runs by itself", "", &when))
                    div .pair {
                        (fields.line(
                            "number",
                            "schedule.every_s",
                            "Seconds between runs (optional)",
                            "10 to 31,622,400.",
                        ))
                        (fields.mono(
                            "text",
                            "schedule.cron",
                            "Cron (optional)",
                            "Minute, hour, day, month, weekday; or @daily.",
                            "0 9 * * 1-5",
                        ))
                    }
                    (fields.mono(
                        "text",
                        "schedule.timezone",
                        "Time zone of cron (optional)",
                        "UTC if left out.",
                        "Europe/Berlin",
                    ))
                }
            }
        }
    }
}

fn next_words(visit: &Visit, sheet: &Sheet<'_>) -> Markup {
    html! {
        @match sheet.command.and_then(|command| command.next_run_at) {
            Some(at) => { "Runs next " (until(visit, at)) ". Times that pass while the server is down are made up \
            for once." }
            None => "It does not run by itself now.",
        }
    }
}
