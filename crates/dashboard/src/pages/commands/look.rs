//! How runs and schedules are shown, wherever they stand.

use maud::{Markup, html};
use tidings_contract::command::{
    ConsoleLineBody, MessageBody, RunBody, RunEffectBody, RunErrorBody, RunSummary, ScheduleBody,
};

use crate::{
    parts::{ago, badge, chip, duration, json, number, text_block},
    visit::Visit,
};

/// When a command runs by itself.
pub(super) fn schedule_words(schedule: Option<&ScheduleBody>) -> Markup {
    let every = schedule.and_then(|schedule| schedule.every_s);
    html! {
        @match schedule {
            None => span .faint { "None" },
            Some(ScheduleBody { cron: Some(cron), timezone, .. }) => {
                span .mono { (cron) } " " span .faint { (timezone.as_deref().unwrap_or("UTC")) }
            }
            Some(_) => { "Every " (duration(f64::from(every.unwrap_or_default()) * 1_000.0)) }
        }
    }
}

/// How a run ended, in a few words.
pub(super) fn run_badge(run: &RunSummary) -> Markup {
    match run.status.as_str() {
        "succeeded" => badge("delivered", "check", "Done"),
        "failed" => badge("failed", "x", &threw(run)),
        "timed_out" => badge("failed", "clock", "Out of time"),
        "crashed" => badge("failed", "x", "Crashed"),
        _ => badge("cancelled", "minus", "Superseded"),
    }
}

fn threw(run: &RunSummary) -> String {
    let Some(error) = &run.error else { return "Failed".to_owned() };
    match (error.line, error.command.as_deref().filter(|name| *name != run.command)) {
        (Some(line), Some(name)) => format!("Threw in {name}, line {line}"),
        (Some(line), None) => format!("Threw on line {line}"),
        (None, _) => "Failed".to_owned(),
    }
}

/// Who asked for a run, as far as it is known.
pub(super) fn asked_by(visit: &Visit, run: &RunSummary) -> Markup {
    html! {
        @match (&run.parent_id, &run.delivery_id) {
            (_, Some(delivery)) => a href=(visit.link(&format!("/deliveries/{delivery}"))) { "a delivery" },
            (Some(parent), _) => a href=(visit.link(&format!("/runs/{parent}"))) { "another run" },
            _ => "a call",
        }
    }
}

/// Everything that came of a run: what went wrong first, then what it wrote, said and answered.
/// `code`: the command as it stands now, to show the line that threw.
pub(super) fn outcome(visit: &Visit, run: &RunBody, code: Option<&str>) -> Markup {
    let summary = &run.summary;
    html! {
        @if let Some(error) = &summary.error { (what_went_wrong(error, code.filter(|_| is_own(summary)))) }
        div .block {
            div .line-list {
                (run_badge(summary))
                span .num.quiet { (duration_of(summary)) }
                span .quiet.small { (memory(summary.memory_bytes)) }
                span .faint.small.push { (ago(visit, summary.began_at)) }
            }
        }
        (console(run))
        (answer(run))
    }
}

/// Whether the error stands in the command that was asked for.
fn is_own(run: &RunSummary) -> bool {
    let name = run.error.as_ref().and_then(|error| error.command.as_deref());
    name.is_none_or(|name| name == run.command)
}

pub(super) fn duration_of(run: &RunSummary) -> String {
    if run.duration_ms == 0 {
        return "under 1 ms".to_owned();
    }
    #[expect(clippy::cast_precision_loss, reason = "runs end within seconds")]
    duration(run.duration_ms as f64)
}

fn memory(bytes: u64) -> String {
    match bytes {
        0 => "no memory measured".to_owned(),
        1..1_048_576 => format!("{} KiB", number(bytes / 1_024)),
        _ => format!("{} MiB", number(bytes / 1_048_576)),
    }
}

fn what_went_wrong(error: &RunErrorBody, code: Option<&str>) -> Markup {
    let line = error.line.and_then(|line| {
        let text = code?.lines().nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
        Some((line, text))
    });
    html! {
        div .block.threw role="alert" {
            p .strong { bdi { (error.message) } }
            @if let Some((line, text)) = line {
                pre .threw-line { span .n-line { (line) } " " bdi { (text) } }
            }
            p .hint {
                @if let Some(command) = &error.command { "In " span .mono { bdi { (command) } } }
                @if let (Some(line), Some(column)) = (error.line, error.column) {
                    ", line " (line) ", column " (column)
                }
                @if error.command.is_some() || error.line.is_some() { ". " }
                "Nothing of what the run asked for was done."
            }
        }
    }
}

/// What a run wrote and what it did, in its order, each with the time since its beginning.
fn console(run: &RunBody) -> Markup {
    let count = u32::try_from(run.console.len()).unwrap_or(u32::MAX);
    let mut messages = run.messages.iter();
    let mut did = run.effects.iter().peekable();
    let mut entries: Vec<Markup> = Vec::with_capacity(run.console.len() + run.effects.len());
    for place in 0..=count {
        while let Some(effect) = did.next_if(|effect| effect.after <= place || place == count) {
            entries.push(done(effect, (effect.kind == "message").then(|| messages.next()).flatten()));
        }
        entries.extend(run.console.get(place as usize).map(line));
    }
    // Runs of former versions have messages without a time.
    entries.extend(messages.map(|one| entry("", None, "message", &message(one))));
    html! {
        @if entries.is_empty() {
            p .block.faint.small { "It wrote nothing to the console and did nothing." }
        } @else {
            div role="log" aria-label="Console" { ol .console { @for entry in &entries { (entry) } } }
        }
    }
}

fn line(line: &ConsoleLineBody) -> Markup {
    entry(&format!("level-{}", line.level), line.at_ms, &line.level, &html! { bdi { (line.text) } })
}

/// Something that the run did. A message is shown whole.
fn done(effect: &RunEffectBody, whole: Option<&MessageBody>) -> Markup {
    let words = match effect.kind.as_str() {
        "http" => "request",
        "call_off" => "called off",
        kind => kind,
    };
    let what = match whole {
        Some(whole) => message(whole),
        None => html! { bdi { (effect.what) } @if effect.what.is_empty() { "all that was to come" } },
    };
    entry("did", Some(effect.at_ms), words, &what)
}

fn message(message: &MessageBody) -> Markup {
    html! {
        bdi { (message.text) }
        @if !message.options.is_null() { " " span .faint { bdi { (message.options) } } }
    }
}

fn entry(class: &str, at_ms: Option<u32>, what: &str, out: &Markup) -> Markup {
    html! {
        li class=[Some(class).filter(|class| !class.is_empty())] {
            span .at { @if let Some(at_ms) = at_ms { (number(at_ms)) " ms" } }
            span .what { (what) }
            span .out { (out) }
        }
    }
}

/// What whoever calls a hook URL gets.
fn answer(run: &RunBody) -> Markup {
    let status = if run.summary.status == "succeeded" { 200 } else { 503 };
    html! {
        div .block {
            h3 { "Answer " (chip(status)) }
            @match (&run.answer, &run.summary.error) {
                (Some(answer), _) => @match &answer.mime_type {
                    Some(mime) => (text_block(mime, &answer.content)),
                    None => (json("To whoever called", &serde_json::json!({"answer": answer.content}).to_string())),
                },
                (None, Some(error)) => p .quiet { bdi { (error.message) } },
                (None, None) => p .faint { "Nothing: it sent no message and rendered no page." },
            }
        }
    }
}
