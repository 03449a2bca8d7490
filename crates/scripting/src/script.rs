//! One run: a fresh runtime with a fresh global object, thrown away afterwards.

use std::{
    cell::RefCell,
    ffi::CString,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io,
    rc::Rc,
    time::{Duration, Instant},
};

use rquickjs::{
    CatchResultExt as _, CaughtError, Context, Ctx, Exception, Function, Object, Runtime, Value, context::EvalOptions,
    qjs,
};
use serde::Deserialize;
use serde_json::Map;
use tidings_domain::command::{ConsoleLine, Effect, EffectMark, RunEnd, Script, ScriptError};
use tidings_ports::scripts::{HostQuestion, ScriptKind};

use crate::protocol::{FromRunner, ToRunner, read, write};

/// What either kind is written down with; see its head.
const WRITTEN: &str = include_str!("written.js");
/// What commands find around them; see its head.
const PRELUDE: &str = include_str!("prelude.js");
/// What transforms find around them; see its head.
const TRANSFORM: &str = include_str!("transform.js");
/// Stack of a script: recursion ends with an error before the process runs out of its own.
const STACK_BYTES: usize = 512 * 1024;
/// What stands before a command's code, in its first line.
const WRAP: &str = "(function(){";
/// Characters of an error's message.
const MESSAGE_CHARACTERS_MAX: usize = 4_096;

/// What is run, and within what.
pub(crate) struct Run<'a> {
    pub(crate) kind: ScriptKind,
    pub(crate) scripts: Vec<Script>,
    pub(crate) globals: &'a Map<String, serde_json::Value>,
    pub(crate) timeout_ms: u32,
    pub(crate) memory_bytes: u64,
}

/// Promises that nobody has caught: which, and message and stack of why.
type Lost = Rc<RefCell<Vec<(u64, (String, Option<String>))>>>;

/// What the prelude has gathered.
#[derive(Default, Deserialize)]
struct Gathered {
    console: Vec<ConsoleLine>,
    effects: Vec<Effect>,
    #[serde(default)]
    marks: Vec<EffectMark>,
    #[serde(default)]
    output: Option<serde_json::Value>,
}

/// Runs scripts one after the other, until one throws.
pub(crate) fn run(run: &Run<'_>) -> FromRunner {
    let begun = Instant::now();
    let limit = Duration::from_millis(u64::from(run.timeout_ms));
    let late = move || begun.elapsed() >= limit;
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return crashed(&error.to_string()),
    };
    runtime.set_memory_limit(usize::try_from(run.memory_bytes).unwrap_or(usize::MAX));
    runtime.set_max_stack_size(STACK_BYTES);
    // The polite way to end. What does not ask is ended from outside.
    runtime.set_interrupt_handler(Some(Box::new(late)));
    let lost: Lost = Rc::default();
    let tracked = Rc::clone(&lost);
    runtime.set_host_promise_rejection_tracker(Some(Box::new(move |_, promise, reason, handled| {
        let (which, mut lost) = (identity(&promise), tracked.borrow_mut());
        match handled {
            // Somebody has come to it after all. The latest: of an earlier one at this place nothing is left.
            true => drop(lost.iter().rposition(|(one, _)| *one == which).map(|place| lost.remove(place))),
            false => lost.push((which, told(&reason))),
        }
    })));
    let context = match Context::full(&runtime) {
        Ok(context) => context,
        Err(error) => return crashed(&error.to_string()),
    };
    let (end, gathered) = context.with(|ctx| match prepare(&ctx, run) {
        Ok(gather) => {
            let end = carry_out(&ctx, &lost, run, &late);
            // Whatever the script has done to the language, its author sees what it wrote until then.
            (end, gathered(&ctx, &gather))
        }
        Err(error) => (failed(&error, None, late()), Ok(Gathered::default())),
    });
    let memory_bytes = u64::try_from(runtime.memory_usage().malloc_size).unwrap_or_default();
    match (end, gathered) {
        (end, Ok(Gathered { console, effects, marks, output })) => {
            FromRunner::Done { end, console, effects, marks, output, memory_bytes }
        }
        (RunEnd::Succeeded, Err(reason)) => {
            let error = ScriptError { message: reason, ..ScriptError::default() };
            FromRunner::ended(RunEnd::Failed(error), memory_bytes)
        }
        (end, Err(_)) => FromRunner::ended(end, memory_bytes),
    }
}

/// Scripts that want and write more than anybody would take.
pub(crate) fn too_much(reason: &io::Error) -> FromRunner {
    let message = format!("what the run wants and writes is refused: {reason}");
    let end = RunEnd::Failed(ScriptError { message, ..ScriptError::default() });
    FromRunner::ended(end, 0)
}

fn crashed(reason: &str) -> FromRunner {
    let end = RunEnd::Crashed { reason: reason.to_owned() };
    FromRunner::ended(end, 0)
}

/// Says whether this is a script: it is read as the body of a function, and nothing of it runs.
pub(crate) fn check(script: &Script) -> FromRunner {
    let done = |end| FromRunner::ended(end, 0);
    let Ok(runtime) = Runtime::new() else { return crashed("no memory") };
    runtime.set_memory_limit(64 << 20);
    runtime.set_max_stack_size(STACK_BYTES);
    let Ok(context) = Context::full(&runtime) else { return crashed("no memory") };
    let wrong = |(before, after): &(&str, &str)| {
        let read = |ctx: Ctx<'_>| {
            let read = read_only(&ctx, &script.name, &format!("{before}{}{after}", script.code));
            read.catch(&ctx).err().map(|error| failed_behind(before, &error, Some(script), false))
        };
        context.with(read)
    };
    done(CHECKED_AS.iter().find_map(wrong).unwrap_or(RunEnd::Succeeded))
}

/// What stands around code while it is checked. Code that closes its function and goes on behind it would have to
/// go on like a statement here, and with a comma or a bracket there: nothing does both.
const CHECKED_AS: [(&str, &str); 2] = [("function f(){", "\n}"), ("(function(){return (()=>{", "\n})})")];

/// Reads code and throws it away.
fn read_only<'js>(ctx: &Ctx<'js>, name: &str, code: &str) -> rquickjs::Result<()> {
    let (length, name, code) = (code.len(), CString::new(name)?, CString::new(code)?);
    let flags = (qjs::JS_EVAL_TYPE_GLOBAL | qjs::JS_EVAL_FLAG_COMPILE_ONLY).cast_signed();
    #[expect(unsafe_code, reason = "the safe interface reads modules only, which are another language")]
    // SAFETY: both texts end with a zero and live through the call, and the value is handed to its owner.
    let read = unsafe {
        let read = qjs::JS_Eval(ctx.as_raw().as_ptr(), code.as_ptr(), length as _, name.as_ptr(), flags);
        if qjs::JS_IsException(read) {
            return Err(rquickjs::Error::Exception);
        }
        Value::from_raw(ctx.clone(), read)
    };
    drop(read);
    Ok(())
}

/// A function of the script's code: it may `return`, and what it declares stays its own.
fn compiled<'js>(ctx: &Ctx<'js>, script: &Script) -> rquickjs::Result<Function<'js>> {
    let mut options = EvalOptions::default();
    options.strict = false;
    options.filename = Some(script.name.clone());
    ctx.eval_with_options(format!("{WRAP}{}\n}})", script.code), options)
}

/// Puts up everything that commands find around them. Returns what gives out what was gathered.
fn prepare<'js>(ctx: &Ctx<'js>, run: &Run<'_>) -> Result<Function<'js>, CaughtError<'js>> {
    let ask = |ctx: Ctx<'js>, question: String| -> rquickjs::Result<String> { asked(&ctx, &question) };
    let put_up = || {
        let mut options = EvalOptions::default();
        options.filename = Some("tidings".to_owned());
        let prelude = match run.kind {
            ScriptKind::Command => PRELUDE,
            ScriptKind::Transform => TRANSFORM,
        };
        let written: Function<'js> = ctx.eval(WRITTEN)?;
        let prelude: Function<'js> = ctx.eval_with_options(prelude, options)?;
        let globals = serde_json::to_string(run.globals).unwrap_or_default();
        prelude.call((Function::new(ctx.clone(), ask)?, globals, written))
    };
    put_up().catch(ctx)
}

/// Asks the server. The script waits for the answer; the server minds its time.
fn asked(ctx: &Ctx<'_>, question: &str) -> rquickjs::Result<String> {
    let thrown = |reason: &str| Exception::throw_message(ctx, reason);
    let question: HostQuestion = serde_json::from_str(question).map_err(|error| thrown(&error.to_string()))?;
    let gone = |error: io::Error| thrown(&error.to_string());
    write(io::stdout().lock(), &FromRunner::Ask { question }).map_err(gone)?;
    match read(io::stdin().lock()).map_err(gone)? {
        ToRunner::Answer { value: Ok(value) } => Ok(value.to_string()),
        ToRunner::Answer { value: Err(reason) } => Err(thrown(&reason)),
        _ => Err(thrown("the server did not answer")),
    }
}

fn carry_out(ctx: &Ctx<'_>, lost: &Lost, run: &Run<'_>, late: &impl Fn() -> bool) -> RunEnd {
    for script in &run.scripts {
        let ran = compiled(ctx, script).and_then(|function| function.call::<_, Value<'_>>(()));
        if let Err(error) = ran.catch(ctx) {
            return failed(&error, Some(script), late());
        }
        // What was promised is kept before the next script begins.
        while !late() && ctx.execute_pending_job() {}
        if late() {
            return RunEnd::TimedOut;
        }
        // A promise that nobody caught is an error like any other.
        if let Some((_, (message, stack))) = lost.borrow_mut().pop() {
            return thrown(message, stack.as_deref(), Some(script));
        }
    }
    RunEnd::Succeeded
}

fn gathered(ctx: &Ctx<'_>, gather: &Function<'_>) -> Result<Gathered, String> {
    let text: String = gather.call(()).catch(ctx).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| format!("what the script wants done cannot be read: {error}"))
}

fn failed(error: &CaughtError<'_>, script: Option<&Script>, late: bool) -> RunEnd {
    failed_behind(WRAP, error, script, late)
}

/// `before` stands before the script's first line.
fn failed_behind(before: &str, error: &CaughtError<'_>, script: Option<&Script>, late: bool) -> RunEnd {
    if late {
        return RunEnd::TimedOut;
    }
    let (message, stack) = match error {
        CaughtError::Exception(exception) => (described(exception.as_object()), exception.stack()),
        CaughtError::Value(value) => (shown(value), None),
        CaughtError::Error(error) => (error.to_string(), None),
    };
    thrown_behind(before, message, stack.as_deref(), script)
}

/// What was thrown, and the stack of it.
fn told(reason: &Value<'_>) -> (String, Option<String>) {
    match reason.as_exception() {
        Some(exception) => (described(exception.as_object()), exception.stack()),
        None => (shown(reason), None),
    }
}

fn thrown(message: String, stack: Option<&str>, script: Option<&Script>) -> RunEnd {
    thrown_behind(WRAP, message, stack, script)
}

fn thrown_behind(before: &str, message: String, stack: Option<&str>, script: Option<&Script>) -> RunEnd {
    let message: String = message.chars().take(MESSAGE_CHARACTERS_MAX).collect();
    let place = stack.and_then(|stack| place(before, stack, script?));
    let (script, line, column) = match (script, place) {
        (Some(script), Some((line, column))) => (Some(script.name.clone()), Some(line), Some(column)),
        (script, _) => (script.map(|script| script.name.clone()), None, None),
    };
    RunEnd::Failed(ScriptError { message, script, line, column })
}

fn described(exception: &Object<'_>) -> String {
    let text = |member: &str| {
        exception.get::<_, rquickjs::String<'_>>(member).ok().and_then(|text| text_of(&text)).unwrap_or_default()
    };
    let (name, message) = (text("name"), text("message"));
    match (name.as_str(), message.as_str()) {
        // An author's own error says what its author wrote.
        ("Error" | "", message) => message.to_owned(),
        (name, "") => name.to_owned(),
        (name, message) => format!("{name}: {message}"),
    }
}

fn shown(value: &Value<'_>) -> String {
    if value.is_null() {
        // What the language throws when there is not even room for an error.
        return "null was thrown, or the script has used up its memory".to_owned();
    }
    match value.as_string().and_then(text_of) {
        Some(text) => text,
        None => value
            .ctx()
            .json_stringify(value.clone())
            .ok()
            .flatten()
            .and_then(|text| text.to_string().ok())
            // Not even where it lies: that is nobody's business.
            .unwrap_or_else(|| "a value that cannot be shown".to_owned()),
    }
}

/// A text, with halves of characters mended, which are none in UTF-8.
fn text_of(text: &rquickjs::String<'_>) -> Option<String> {
    if let Ok(text) = text.to_string() {
        return Some(text);
    }
    let json = text.ctx().json_stringify(text.clone()).ok()??.to_string().ok()?;
    let (mut mended, mut rest) = (String::new(), json.as_str());
    while let Some(at) = rest.find('\\') {
        // JSON of this engine escapes nothing else of what begins like this.
        let half = rest[at..].starts_with("\\ud");
        let end = at + if half { 6 } else { 2 };
        mended.push_str(&rest[..if half { at } else { end }]);
        mended.push_str(if half { "\u{fffd}" } else { "" });
        rest = rest.get(end..)?;
    }
    mended.push_str(rest);
    serde_json::from_str(&mended).ok()
}

/// Which value this is, as long as it lives.
fn identity(value: &Value<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The first place in the script that a stack names, as `NAME:LINE:COLUMN`.
fn place(before: &str, stack: &str, script: &Script) -> Option<(u32, u32)> {
    let after = stack.lines().find_map(|line| {
        let at = line.rfind(&format!("{}:", script.name))?;
        Some(&line[at + script.name.len() + 1..])
    })?;
    let mut numbers = after.split(|character: char| !character.is_ascii_digit()).filter_map(|text| text.parse().ok());
    let (line, column): (u32, u32) = (numbers.next()?, numbers.next().unwrap_or(1));
    // What is missing at the end is missing behind the script's own last line.
    let last = script.code.split('\n').next_back().unwrap_or_default();
    let lines = u32::try_from(script.code.split('\n').count()).unwrap_or(u32::MAX);
    if line > lines {
        return Some((lines, u32::try_from(last.chars().count()).unwrap_or_default() + 1));
    }
    let before = if line == 1 { u32::try_from(before.len()).unwrap_or_default() } else { 0 };
    Some((line, column.saturating_sub(before).max(1)))
}
