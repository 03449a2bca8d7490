//! Publishing what was taken, and what the server's answers mean for it.

use std::borrow::Cow;

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

/// Publishes what was taken, in order. What the answer says nothing about is to be tried again.
pub(super) async fn publish(client: &Client, taken: &[(usize, &Taken)]) -> Result<Vec<(usize, Verdict)>, Trouble> {
    let mut verdicts = Vec::with_capacity(taken.len());
    let mut rest = taken;
    while let Some((&(number, first), after)) = rest.split_first() {
        let Ok(_) = &first.event else {
            verdicts.extend(first.event.as_ref().err().map(|why| (number, Verdict::Refused(why.clone()))));
            rest = after;
            continue;
        };
        let (chunk, after) = chunk(rest);
        rest = after;
        let later = publish_chunk(client, first.project.as_deref(), chunk, &mut verdicts).await?;
        if let Some(reason) = later {
            // What comes after it waits as well, so that the order stays.
            verdicts.extend(rest.iter().map(|(number, _)| (*number, Verdict::Later(reason.clone()))));
            break;
        }
    }
    Ok(verdicts)
}

/// As many of the first ones as one request may hold, all for one project.
fn chunk<'a>(taken: &'a [(usize, &'a Taken)]) -> (Vec<Numbered<'a>>, &'a [(usize, &'a Taken)]) {
    let (mut chunk, mut bytes) = (Vec::new(), 0);
    for &(number, each) in taken.iter().take(BATCH_EVENTS_MAX) {
        let Ok(event) = &each.event else { break };
        bytes += event.payload.len() + FIELDS_BYTES;
        if !chunk.is_empty() && (bytes > BATCH_BODY_BYTES_MAX || each.project != taken[0].1.project) {
            break;
        }
        chunk.push((number, event));
    }
    let rest = &taken[chunk.len()..];
    (chunk, rest)
}

/// Publishes a chunk. A request that is refused as a whole is halved until it is known which event is to blame.
/// Returns why the rest has to wait, if it has to.
async fn publish_chunk(
    client: &Client,
    project: Option<&str>,
    chunk: Vec<Numbered<'_>>,
    verdicts: &mut Vec<(usize, Verdict)>,
) -> Result<Option<String>, Trouble> {
    let named = project.map(|id| client.for_project(id)).transpose();
    let client = match named {
        Ok(named) => named.unwrap_or_else(|| client.clone()),
        Err(error) => {
            let why = Refusal::new(ErrorCode::NotFound.as_str(), error.to_string());
            verdicts.extend(chunk.iter().map(|(number, _)| (*number, Verdict::Refused(why.clone()))));
            return Ok(None);
        }
    };
    let mut parts = vec![&chunk[..]];
    let mut later = None;
    while let Some(part) = parts.pop() {
        if let Some(reason) = &later {
            verdicts.extend(part.iter().map(|(number, _)| (*number, Verdict::Later(String::clone(reason)))));
            continue;
        }
        let requests: Vec<_> = part.iter().map(|(_, event)| request(event)).collect();
        match client.publish_batch(&requests).await {
            Ok(answer) if answer.data.len() == part.len() => {
                for (&(number, event), item) in part.iter().zip(answer.data) {
                    let verdict = verdict(&client, event, item).await?;
                    if let Verdict::Later(reason) = &verdict {
                        later.get_or_insert_with(|| reason.clone());
                    }
                    verdicts.push((number, verdict));
                }
            }
            Ok(_) => return Err(Trouble::Passing("the server's answer has another length than the batch".to_owned())),
            Err(ClientError::Problem(problem)) if is_about_events(&problem, project.is_some()) => {
                if part.len() == 1 || problem.status == 404 {
                    let why = Refusal::new(&problem.code, &problem.detail);
                    verdicts.extend(part.iter().map(|(number, _)| (*number, Verdict::Refused(why.clone()))));
                } else {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
            }
            Err(error) => match trouble(error) {
                Trouble::Passing(reason) => {
                    verdicts.extend(part.iter().map(|(number, _)| (*number, Verdict::Later(reason.clone()))));
                    later = Some(reason);
                }
                lasting @ Trouble::Lasting(_) => return Err(lasting),
            },
        }
    }
    Ok(later)
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
