//! The form of a command: its code and settings, and what to run it with.

use serde_json::{Map, Value};
use tidings_contract::command::{CommandBody, RunBody, RunRequest, ScheduleBody, UpdateCommand};
use tidings_domain::command::Concurrency;

use crate::form::Form;

/// What is wrong with what was typed, by field.
pub(super) type Wrong = Vec<(&'static str, String)>;

/// The fields of a command as it is, and of what it was run with last.
pub(super) fn of(command: &CommandBody, run: Option<&RunBody>) -> Form {
    let schedule = command.schedule.as_ref();
    let when = match schedule {
        None => "never",
        Some(ScheduleBody { every_s: Some(_), .. }) => "every",
        Some(_) => "cron",
    };
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    let mut fields = vec![
        ("code", command.code.clone()),
        ("timeout_ms", command.timeout_ms.to_string()),
        ("concurrency", command.concurrency.as_str().to_owned()),
        ("when", when.to_owned()),
        ("schedule.every_s", schedule.and_then(|one| one.every_s).map(|every| every.to_string()).unwrap_or_default()),
        ("schedule.cron", text(schedule.and_then(|one| one.cron.as_ref()))),
        ("schedule.timezone", text(schedule.and_then(|one| one.timezone.as_ref()))),
    ];
    if let Some(run) = run {
        let params = &run.input.params;
        let method = run.input.options.get("method").and_then(Value::as_str).unwrap_or_default();
        fields.extend([
            ("content", run.input.content.clone()),
            ("user_id", text(run.summary.user_id.as_ref())),
            ("params", if params.is_null() { String::new() } else { params.to_string() }),
            ("method", method.to_owned()),
        ]);
    }
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn whole(form: &Form, field: &'static str, wrong: &mut Wrong) -> Option<u32> {
    let text = form.given(field)?;
    text.parse().map_err(|_| wrong.push((field, format!("is {text:?}, which is not a whole number")))).ok()
}

/// Code and settings as the API takes them.
pub(super) fn command(form: &Form) -> Result<UpdateCommand, Wrong> {
    let mut wrong = Wrong::new();
    let text = |field: &str| form.given(field).map(str::to_owned);
    let timeout_ms = whole(form, "timeout_ms", &mut wrong);
    let schedule = match form.text("when") {
        "every" => {
            let every_s = whole(form, "schedule.every_s", &mut wrong);
            if every_s.is_none() && wrong.is_empty() {
                wrong.push(("schedule.every_s", "is empty: say after how many seconds it runs again".to_owned()));
            }
            Some(ScheduleBody { every_s, cron: None, timezone: None })
        }
        "cron" => {
            if form.given("schedule.cron").is_none() {
                wrong.push(("schedule.cron", "is empty: say when, such as 0 9 * * 1-5, or @daily".to_owned()));
            }
            Some(ScheduleBody { every_s: None, cron: text("schedule.cron"), timezone: text("schedule.timezone") })
        }
        _ => None,
    };
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let concurrency = Concurrency::parse(form.text("concurrency"));
    // A form writes line breaks as two characters.
    let code = form.raw("code").replace("\r\n", "\n");
    Ok(UpdateCommand { code, timeout_ms, concurrency, schedule })
}

/// What to run it with, as the API takes it.
pub(super) fn run(form: &Form) -> Result<RunRequest, Wrong> {
    let params = match form.given("params") {
        None => None,
        Some(text) => match serde_json::from_str::<Value>(text) {
            Ok(params) => Some(params),
            Err(error) => return Err(vec![("params", format!("is not JSON: {error}"))]),
        },
    };
    let method = form.given("method").map(|method| Map::from_iter([("method".to_owned(), method.into())]));
    Ok(RunRequest {
        content: Some(form.raw("content").replace("\r\n", "\n")).filter(|content| !content.is_empty()),
        user_id: form.given("user_id").map(str::to_owned),
        options: method,
        params,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> Form {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_schedule_is_one_of_two() {
        let given = [("code", "a\r\nb"), ("schedule.every_s", "60"), ("schedule.cron", "@daily"), ("timeout_ms", "")];
        let read = |when| command(&form(&[&given[..], &[("when", when)]].concat())).expect("it is whole");
        assert_eq!(read("never").schedule, None);
        assert_eq!(read("every").schedule.and_then(|one| one.every_s), Some(60));
        let cron = read("cron").schedule.expect("a schedule");
        assert_eq!((cron.every_s, cron.cron.as_deref(), cron.timezone), (None, Some("@daily"), None));
        assert_eq!(read("never").code, "a\nb");
    }

    #[test]
    fn what_is_no_number_or_json_is_named() {
        let wrong = command(&form(&[("timeout_ms", "5s"), ("when", "every")])).expect_err("5s is no number");
        assert_eq!(wrong.iter().map(|(field, _)| *field).collect::<Vec<_>>(), ["timeout_ms"]);
        let wrong = command(&form(&[("when", "cron")])).expect_err("cron is empty");
        assert_eq!(wrong[0].0, "schedule.cron");
        assert_eq!(run(&form(&[("params", "{")])).expect_err("no JSON")[0].0, "params");
        let request = run(&form(&[("params", ""), ("content", ""), ("user_id", " 7 ")])).expect("it is whole");
        assert_eq!((request.content, request.user_id.as_deref(), request.params), (None, Some("7"), None));
    }

    #[test]
    fn a_command_survives_its_form() {
        let example = <CommandBody as tidings_contract::wire::Wire>::example();
        let known: CommandBody = serde_json::from_value(example).expect("a command");
        let read = command(&of(&known, None)).expect("it is whole");
        assert_eq!((read.code, read.timeout_ms), (known.code, Some(known.timeout_ms)));
        assert_eq!((read.schedule, read.concurrency), (known.schedule, Some(known.concurrency)));
    }
}
