//! What the demo prints.

use std::{net::SocketAddr, path::Path};

use tidings_contract::delivery::DeliverySummary;

use super::{
    platform::{DemoProfile, Platform},
    receiver::Received,
    verify::Verified,
};
use crate::output::{clean, print};

/// Prints a line; what strangers sent is only text.
fn line(text: &str) -> anyhow::Result<()> {
    print(&format!("{}\n", clean(text)))
}

/// Headers that are the same in every request and say nothing here.
const DULL_HEADERS: [&str; 3] = ["host", "content-length", "accept"];

pub(super) fn banner(address: SocketAddr, data_dir: &Path) -> anyhow::Result<()> {
    line("")?;
    line(&format!("Tidings {} · demo", env!("CARGO_PKG_VERSION")))?;
    line(&format!("listening on http://{address}"))?;
    line(&format!("data in {}", data_dir.display()))
}

pub(super) fn webhooks(platform: &Platform) -> anyhow::Result<()> {
    line("")?;
    line("Webhooks, one per profile, and one whose receiver fails twice:")?;
    for hook in &platform.hooks {
        line(&format!("  {:<16} {:<28} → {}", hook.profile.as_str(), hook.event_type, hook.url))?;
    }
    Ok(())
}

pub(super) fn request(request: &Received, profile: DemoProfile, verified: &Verified) -> anyhow::Result<()> {
    line("")?;
    line(&format!("▶ POST {}   ({})", request.path, profile.as_str()))?;
    for (name, value) in &request.headers {
        if !DULL_HEADERS.contains(&name.as_str()) {
            line(&format!("    {name}: {value}"))?;
        }
    }
    line(&format!("    {}", String::from_utf8_lossy(&request.body)))?;
    line(&format!(
        "  ✔ signature verified: {} covers {} ({})",
        verified.header,
        verified.covers,
        short(&verified.value)
    ))?;
    let mark = if request.answer.is_success() { "◀" } else { "✘" };
    let then = if request.answer.is_success() { "" } else { ", so it is tried again" };
    line(&format!("  {mark} answered {}{then}", request.answer.as_u16()))
}

fn short(text: &str) -> String {
    const SHOWN: usize = 24;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

pub(super) fn deliveries(deliveries: &[DeliverySummary], platform: &Platform) -> anyhow::Result<()> {
    line("")?;
    line("What the history says:")?;
    for delivery in deliveries {
        let id = delivery.webhook_id.to_string();
        let path = platform.hooks.iter().find(|hook| hook.id == id).map_or("", |hook| hook.path);
        let attempts = if delivery.attempt_count == 1 { "attempt" } else { "attempts" };
        line(&format!(
            "  {}  {:<28} {:<17} {} after {} {attempts}",
            delivery.id, delivery.event_type, path, delivery.status, delivery.attempt_count
        ))?;
    }
    Ok(())
}

pub(super) fn farewell(address: SocketAddr, key: &str) -> anyhow::Result<()> {
    line("")?;
    line("The server stays up. In another terminal:")?;
    line(&format!("  export TIDINGS_SERVER=http://{address} TIDINGS_API_KEY={key}"))?;
    line("  curl -s $TIDINGS_SERVER/api/v1/deliveries -H \"X-API-Key: $TIDINGS_API_KEY\"")?;
    line("  cargo run -- delivery list")?;
    line("")?;
    line("Ctrl-C ends it.")
}
