//! What has to hold for every request that reaches the network.

use bytes::Bytes;

use crate::{
    clock::SimClock,
    model::{Answer, AttemptModel, DeliveryModel, Model, PublishModel, Status, Told},
};

/// A request of a delivery.
pub(crate) struct Sent<'a> {
    pub(crate) delivery: &'a str,
    pub(crate) number: u32,
    pub(crate) life: u32,
    pub(crate) clock: &'a SimClock,
    pub(crate) body: &'a Bytes,
    /// Whether a process has lost what it had leased at a time.
    pub(crate) has_lost: &'a dyn Fn(u32, i64) -> bool,
    /// Whether the process that sends it has not been taken for dead.
    pub(crate) is_among_others: bool,
}

/// The number after a name in a body, whatever stands around it.
fn number_in(body: &[u8], name: &str) -> Option<usize> {
    let text = String::from_utf8_lossy(body);
    let (_, rest) = text.split_once(&format!("\"{name}\":"))?;
    let digits: String = rest.trim_start().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// Checks a request against everything known; says whether it counts in its webhook's lane.
pub(crate) fn check_request(model: &mut Model, webhook: usize, sent: &Sent<'_>) -> bool {
    let mut broken = Vec::new();
    check_origin(model, webhook, sent, &mut broken);
    if !sent.is_among_others {
        let (delivery, number, life) = (sent.delivery, sent.number, sent.life);
        broken.push(format!("{delivery} #{number} is sent by process {life}, whose leases others have taken"));
    }
    let known = model.deliveries.entry(sent.delivery.to_owned()).or_insert_with(|| DeliveryModel {
        webhook,
        body: sent.body.clone(),
        attempts: Vec::new(),
        asked_again: false,
        forced: false,
    });
    if known.body != sent.body {
        broken.push(format!("INV-BYTES: {} #{} sends another body than before", sent.delivery, sent.number));
    }
    if known.webhook != webhook {
        broken.push(format!("{} went to two webhooks", sent.delivery));
    }
    check_number(known, &model.webhooks[webhook].waits_ms, sent, &mut broken);
    let repeated = known.attempts.iter().any(|attempt| attempt.number == sent.number);
    model.duplicates += u64::from(repeated);
    let forced = known.forced;
    check_lane(model, webhook, sent, forced, &mut broken);
    for what in broken {
        model.violated(what);
    }
    !forced
}

/// The event is one that somebody published in the webhook's own project, and was not refused.
fn check_origin(model: &Model, webhook: usize, sent: &Sent<'_>, broken: &mut Vec<String>) {
    let own = model.webhooks[webhook].project;
    let asked_again = model.deliveries.get(sent.delivery).is_some_and(|known| known.asked_again);
    if number_in(sent.body, "project") != Some(own) {
        broken.push(format!("INV-ISOLATION: {} of another project reached wh{webhook}", sent.delivery));
    }
    let publish = number_in(sent.body, "publish").and_then(|number| model.publishes.get(number));
    match publish {
        None => broken.push(format!("{} carries an event that nobody published", sent.delivery)),
        Some(publish) if publish.answer == Answer::Refused => {
            broken.push(format!("{} carries an event that was refused", sent.delivery));
        }
        Some(publish) if publish.project != own => {
            broken.push(format!("INV-ISOLATION: {} was published elsewhere than wh{webhook} is", sent.delivery));
        }
        Some(publish) if early_ms(publish, sent) > 0 && !asked_again => {
            broken.push(format!("{} is sent before its event may be delivered", sent.delivery));
        }
        Some(_) => {}
    }
}

/// How much too early an event is sent that was to be delivered later.
fn early_ms(publish: &PublishModel, sent: &Sent<'_>) -> i64 {
    let clock = sent.clock;
    // The wall clock may have been set between the call and its being heard.
    let bearable_ms = clock.early_ms_max(publish.life, sent.life) + clock.forward_ms_after(publish.elapsed_ms);
    publish.elapsed_ms + publish.wait_ms - clock.elapsed_ms() - bearable_ms
}

/// An attempt comes once in a process, after a failed one, and not before its time.
fn check_number(known: &DeliveryModel, waits_ms: &[u64], sent: &Sent<'_>, broken: &mut Vec<String>) {
    let (delivery, number) = (sent.delivery, sent.number);
    let held = |attempt: &&AttemptModel| !(sent.has_lost)(attempt.life, attempt.at_ms);
    if let Some(first) = known.attempts.iter().filter(|attempt| attempt.number == number).find(held) {
        broken.push(format!("{delivery} #{number} is sent by process {} and again by {}", first.life, sent.life));
    }
    if let Some(first) = known.attempts.iter().filter(|attempt| attempt.told.is_none()).find(held) {
        let (other, under_way) = (first.life, first.number);
        broken.push(format!("{delivery} #{number} is sent while process {other} has #{under_way} under way"));
    }
    if known.asked_again || number <= 1 {
        return;
    }
    let Some(wait_ms) = waits_ms.get(number as usize - 1) else {
        broken.push(format!("{delivery} #{number} is one attempt more than its schedule has"));
        return;
    };
    let before = known.attempts.iter().filter(|attempt| attempt.number + 1 == number);
    let failed =
        before.filter_map(|attempt| Some((attempt.life, attempt.told?))).filter(|(_, told)| !told.is_success());
    let early_ms = |(life, told): (u32, Told)| {
        let due_ms = told.elapsed_ms + (*wait_ms).max(told.retry_after_ms).cast_signed();
        due_ms - sent.clock.elapsed_ms() - sent.clock.early_ms_max(life, sent.life)
    };
    match failed.map(early_ms).min() {
        None => broken.push(format!("{delivery} #{number} follows no failed attempt")),
        Some(early_ms) if early_ms > 0 => {
            broken.push(format!("{delivery} #{number} comes {early_ms} ms before its time"));
        }
        Some(_) => {}
    }
}

/// A lane keeps its limit, and nothing is sent to a webhook that is held.
fn check_lane(model: &mut Model, webhook: usize, sent: &Sent<'_>, forced: bool, broken: &mut Vec<String>) {
    let (tick, now_ms) = (model.next_tick(), sent.clock.elapsed_ms());
    let lane = &mut model.webhooks[webhook];
    if forced {
        return;
    }
    let in_flight = lane.in_flight.entry(sent.life).or_default();
    *in_flight += 1;
    if *in_flight > lane.max_in_flight {
        broken.push(format!("wh{webhook} has {in_flight} requests in flight of {}", lane.max_in_flight));
    }
    if let Some(held @ (Status::Paused | Status::Disabled | Status::Deleted)) = lane.settled_status(tick, now_ms) {
        broken.push(format!("{} #{} is sent to wh{webhook}, which is {held:?}", sent.delivery, sent.number));
    }
}
