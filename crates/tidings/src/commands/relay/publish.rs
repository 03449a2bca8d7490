//! Publishing what was taken, and what the server's answers mean for it.

use std::{borrow::Cow, collections::HashMap};

use tidings_client::{
    Client, ClientError,
    contract::{
        OneOrMany,
        batch::{BATCH_BODY_BYTES_MAX, BATCH_EVENTS_MAX, BatchItem, RefusedItem},
        codes::ErrorCode,
        event::PublishRequest,
        problem::Problem,
    },
};

use super::intake::{Event, Payload, Refusal, Taken, Trouble, Verdict};

/// Bytes that an event's other fields are taken to have in a request, at most; a batch that is larger all the same is
/// halved.
const FIELDS_BYTES: usize = 1_024;

/// An event, and where it stands in what was taken.
type Numbered<'a> = (usize, &'a Event);

/// Makes sure that the server lets this key publish, by a batch of nothing: it is refused for being empty, and only
/// after everything else was looked at.
pub(super) async fn check_access(client: &Client) -> Result<(), Trouble> {
    match client.publish_batch(&[]).await {
        Err(ClientError::Problem(problem)) if problem.status == 422 => Ok(()),
        Err(error) => Err(trouble(error)),
        Ok(_) => Ok(()),
    }
}

/// Why something has to wait, and what waits with it.
struct Wait {
    reason: String,
    /// Only what is for the same project: the server has no time for more of it at once.
    is_projects: bool,
}

/// Publishes what was taken, project by project, each in order. What the answer says nothing about is to be tried again.
pub(super) async fn publish(client: &Client, taken: &[(usize, &Taken)]) -> Result<Vec<(usize, Verdict)>, Trouble> {
    let mut verdicts = Vec::with_capacity(taken.len());
    let mut waits: Option<String> = None;
    for (project, events) in by_project(taken, &mut verdicts) {
        let mut rest = &events[..];
        while !rest.is_empty() && waits.is_none() {
            let (chunk, after) = rest.split_at(chunk_len(rest));
            rest = after;
            if let Some(wait) = publish_chunk(client, project, chunk, &mut verdicts).await? {
                verdicts.extend(all_later(rest, &wait.reason));
                waits = (!wait.is_projects).then_some(wait.reason);
                rest = &[];
            }
        }
        if let Some(reason) = &waits {
            verdicts.extend(all_later(rest, reason));
        }
    }
    // As they were taken, for whoever reads the report.
    verdicts.sort_unstable_by_key(|(number, _)| *number);
    Ok(verdicts)
}

/// The events of each project, in order; what is no event is refused. Nothing is said about the order of events of
/// different projects, and a request is for one of them.
fn by_project<'a>(
    taken: &[(usize, &'a Taken)],
    verdicts: &mut Vec<(usize, Verdict)>,
) -> Vec<(Option<&'a str>, Vec<Numbered<'a>>)> {
    let mut projects: Vec<(Option<&str>, Vec<Numbered<'_>>)> = Vec::new();
    let mut places = HashMap::new();
    for &(number, each) in taken {
        let event = match &each.event {
            Ok(event) => event,
            Err(why) => {
                verdicts.push((number, Verdict::Refused(why.clone())));
                continue;
            }
        };
        let project = each.project.as_deref();
        let place = *places.entry(project).or_insert(projects.len());
        if place == projects.len() {
            projects.push((project, Vec::new()));
        }
        projects[place].1.push((number, event));
    }
    projects
}

fn all_later(events: &[Numbered<'_>], reason: &str) -> impl Iterator<Item = (usize, Verdict)> {
    events.iter().map(move |(number, _)| (*number, Verdict::Later(reason.to_owned())))
}

fn all_refused(events: &[Numbered<'_>], why: &Refusal) -> impl Iterator<Item = (usize, Verdict)> {
    events.iter().map(|(number, _)| (*number, Verdict::Refused(why.clone())))
}

/// How many of the first ones one request may hold: at least one.
fn chunk_len(events: &[Numbered<'_>]) -> usize {
    let mut bytes = 0;
    let fits = |(_, event): &&Numbered<'_>| {
        bytes += event.payload.len() + FIELDS_BYTES;
        bytes <= BATCH_BODY_BYTES_MAX
    };
    events.iter().take(BATCH_EVENTS_MAX).take_while(fits).count().max(1)
}

/// Publishes a chunk. A request that is refused as a whole is halved until it is known which event is to blame.
/// Returns why the rest has to wait, if it has to.
async fn publish_chunk(
    client: &Client,
    project: Option<&str>,
    chunk: &[Numbered<'_>],
    verdicts: &mut Vec<(usize, Verdict)>,
) -> Result<Option<Wait>, Trouble> {
    let client = match project.map(|id| client.for_project(id)).transpose() {
        Ok(named) => named.unwrap_or_else(|| client.clone()),
        Err(error) => {
            verdicts.extend(all_refused(chunk, &Refusal::new(ErrorCode::NotFound.as_str(), error.to_string())));
            return Ok(None);
        }
    };
    let mut parts = vec![chunk];
    let mut waits: Option<Wait> = None;
    while let Some(part) = parts.pop() {
        if let Some(wait) = &waits {
            verdicts.extend(all_later(part, &wait.reason));
            continue;
        }
        let requests: Vec<_> = part.iter().map(|(_, event)| request(event)).collect();
        match client.publish_batch(&requests).await {
            Ok(answer) if answer.data.len() == part.len() => {
                for (&(number, event), item) in part.iter().zip(answer.data) {
                    let verdict = verdict(&client, event, item).await?;
                    if let Verdict::Later(reason) = &verdict {
                        waits.get_or_insert_with(|| Wait { reason: reason.clone(), is_projects: false });
                    }
                    verdicts.push((number, verdict));
                }
            }
            Ok(_) => return Err(Trouble::Passing("the server's answer has another length than the batch".to_owned())),
            Err(ClientError::Problem(problem)) if is_about_events(&problem, project.is_some()) => {
                if part.len() == 1 || problem.status == 404 {
                    verdicts.extend(all_refused(part, &Refusal::new(&problem.code, &problem.detail)));
                } else {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
            }
            Err(error) => {
                let is_projects = error.code() == Some(ErrorCode::RateLimited.as_str());
                match trouble(error) {
                    Trouble::Passing(reason) => {
                        verdicts.extend(all_later(part, &reason));
                        waits = Some(Wait { reason, is_projects });
                    }
                    lasting @ Trouble::Lasting(_) => return Err(lasting),
                }
            }
        }
    }
    Ok(waits)
}

fn request(event: &Event) -> PublishRequest<'_> {
    let (data, content_type, body_base64) = match &event.payload {
        Payload::Json(json) => (Some(&**json), None, None),
        Payload::Bytes { content_type, base64 } => (None, Some(content_type.clone()), Some(Cow::Borrowed(&**base64))),
    };
    PublishRequest {
        event_type: Cow::Borrowed(&event.event_type),
        data,
        id: event.id.clone(),
        scope: (!event.scopes.is_empty()).then(|| OneOrMany::Many(event.scopes.clone())),
        idempotency_key: Some(event.idempotency_key.clone()),
        content_type,
        body_base64,
        deliver_at: event.deliver_at,
        schema_version: event.schema_version,
    }
}

async fn verdict(client: &Client, event: &Event, item: BatchItem) -> Result<Verdict, Trouble> {
    let RefusedItem { error, .. } = match item {
        BatchItem::Published(_) => return Ok(Verdict::Published),
        BatchItem::Refused(refused) => refused,
    };
    if is_passing(status_of(&error.code)) {
        return Ok(Verdict::Later(error.message));
    }
    if error.code == ErrorCode::AlreadyExists.as_str() && is_published(client, event).await? {
        return Ok(Verdict::Published);
    }
    Ok(Verdict::Refused(Refusal { code: error.code, reason: error.message }))
}

/// Whether an event whose id is taken is the very one that has it: idempotency keys are forgotten after a while, ids
/// are not as long as their events are kept.
async fn is_published(client: &Client, event: &Event) -> Result<bool, Trouble> {
    let Some(id) = &event.id else { return Ok(false) };
    match client.get_event(id).await {
        Ok(there) => Ok(there.event_type == event.event_type
            && match &event.payload {
                Payload::Json(json) => there.payload.as_ref().is_some_and(|payload| payload.get() == json.get()),
                Payload::Bytes { base64, .. } => there.body_base64.as_deref() == Some(base64),
            }),
        // A key that may not read events cannot tell.
        Err(ClientError::Problem(problem)) if !is_passing(problem.status) => Ok(false),
        Err(error) => Err(trouble(error)),
    }
}

fn status_of(code: &str) -> u16 {
    ErrorCode::ALL.iter().find(|known| known.as_str() == code).map_or(422, |known| known.status())
}

const fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 425 | 429) || status >= 500
}

/// Whether a refusal of a request is about the events in it, not about the key or the moment.
fn is_about_events(problem: &Problem, names_project: bool) -> bool {
    match problem.status {
        401 | 403 => false,
        404 => names_project,
        status => !is_passing(status),
    }
}

/// What an error of a call means for the relay.
pub(super) fn trouble(error: ClientError) -> Trouble {
    match &error {
        ClientError::Connection { .. } | ClientError::Timeout { .. } => Trouble::Passing(error.to_string()),
        ClientError::Problem(problem) if is_passing(problem.status) => Trouble::Passing(problem.detail.clone()),
        // Something before the server answers for it.
        ClientError::Foreign { status, .. } if is_passing(*status) => Trouble::Passing(error.to_string()),
        ClientError::Foreign { .. } | ClientError::Problem(_) | ClientError::Setting(_) => {
            Trouble::Lasting(error.into())
        }
    }
}
