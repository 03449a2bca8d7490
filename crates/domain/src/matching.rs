//! Which webhooks get an event, and why the others do not.

use std::collections::HashMap;

use crate::{
    event_type::{EventPattern, EventTypeName},
    filter::Subject,
    webhook::{Webhook, WebhookSettings},
};

/// Why a webhook does not get an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mismatch {
    /// It is disabled.
    Disabled,
    /// It selects other types.
    EventType,
    /// It selects other scopes.
    Scope,
    /// Its filter does not let the event pass.
    Filter,
}

impl Mismatch {
    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::EventType => "event_type",
            Self::Scope => "scope",
            Self::Filter => "filter",
        }
    }
}

/// Decides about one webhook; the index below gives the same answers for many at once.
pub fn matches(webhook: &Webhook, event: &Subject<'_>) -> Result<(), Mismatch> {
    if webhook.status.takes_events() { selects(&webhook.settings, event) } else { Err(Mismatch::Disabled) }
}

/// The same for settings that no webhook has yet.
pub fn selects(settings: &WebhookSettings, event: &Subject<'_>) -> Result<(), Mismatch> {
    if !settings.events.is_empty() && !settings.events.iter().any(|pattern| pattern.selects(event.event_type())) {
        return Err(Mismatch::EventType);
    }
    if !scope_selected(settings, event.scopes()) {
        return Err(Mismatch::Scope);
    }
    if !settings.filter.as_ref().is_none_or(|filter| filter.passes(event)) {
        return Err(Mismatch::Filter);
    }
    Ok(())
}

fn scope_selected(settings: &WebhookSettings, scopes: &[String]) -> bool {
    settings.scopes.is_empty() || scopes.iter().any(|scope| settings.scopes.contains(scope))
}

/// A project's webhooks arranged so that an event finds its own without asking every one.
#[derive(Debug, Default)]
pub struct MatchIndex {
    exact: HashMap<EventTypeName, Vec<usize>>,
    patterns: Vec<(EventPattern, usize)>,
    all: Vec<usize>,
}

impl MatchIndex {
    /// Arranges webhooks by their place in `webhooks`.
    pub fn new<'a>(webhooks: impl Iterator<Item = &'a Webhook>) -> Self {
        let mut index = Self::default();
        for (place, webhook) in webhooks.enumerate() {
            if !webhook.status.takes_events() {
                continue;
            }
            let events = &webhook.settings.events;
            if events.is_empty() || events.contains(&EventPattern::All) {
                index.all.push(place);
                continue;
            }
            for pattern in events {
                match pattern {
                    EventPattern::Exact(name) => index.exact.entry(name.clone()).or_default().push(place),
                    other => index.patterns.push((other.clone(), place)),
                }
            }
        }
        index
    }

    /// The places of the webhooks that select this type, ascending, each once.
    pub fn places(&self, event_type: &EventTypeName) -> Vec<usize> {
        let mut places = self.all.clone();
        places.extend(self.exact.get(event_type).into_iter().flatten());
        places.extend(self.patterns.iter().filter(|(pattern, _)| pattern.selects(event_type)).map(|(_, place)| place));
        places.sort_unstable();
        places.dedup();
        places
    }
}

/// Whether a webhook that selects the type also selects the event's scopes and what stands in it.
pub fn selects_rest(webhook: &Webhook, event: &Subject<'_>) -> bool {
    let settings = &webhook.settings;
    scope_selected(settings, event.scopes()) && settings.filter.as_ref().is_none_or(|filter| filter.passes(event))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        filter::Filter,
        ids::{ProjectId, WebhookId},
        profile::Profile,
        retry::DisableReason,
        webhook::WebhookStatus,
    };

    fn webhook(events: &[&str], scopes: &[&str], status: WebhookStatus) -> Webhook {
        Webhook {
            id: WebhookId::from_parts(1, 1),
            project_id: ProjectId::from_parts(1, 1),
            settings: WebhookSettings {
                events: events.iter().map(|text| text.parse().expect("a pattern")).collect(),
                scopes: scopes.iter().map(|&text| text.to_owned()).collect(),
                ..WebhookSettings::new("https://example.com/".to_owned(), Profile::Standard)
            },
            status,
        }
    }

    fn filtered(mut webhook: Webhook) -> Webhook {
        let filter = serde_json::json!({"path": "/data/plan", "op": "eq", "value": "pro"});
        webhook.settings.filter = Some(Filter::read(&filter, "filter").expect("a filter"));
        webhook
    }

    #[test]
    fn index_and_rule_agree() {
        let webhooks = [
            webhook(&[], &[], WebhookStatus::Active),
            webhook(&["*"], &[], WebhookStatus::Paused),
            webhook(&["tag.*", "tag.subscribed"], &[], WebhookStatus::Active),
            webhook(&["tag.subscribed"], &["campaign-1"], WebhookStatus::Active),
            webhook(&["user.created"], &[], WebhookStatus::Active),
            webhook(&[], &[], WebhookStatus::Disabled(DisableReason::Manual)),
            filtered(webhook(&["tag.*"], &["campaign-1"], WebhookStatus::Active)),
        ];
        let index = MatchIndex::new(webhooks.iter());
        for name in ["tag.subscribed", "tag.removed", "user.created", "tagged"] {
            let name: EventTypeName = name.parse().expect("a name");
            for scopes in [vec![], vec!["campaign-1".to_owned()], vec!["campaign-2".to_owned()]] {
                for payload in [r#"{"plan":"pro"}"#, r#"{"plan":"free"}"#] {
                    let event = Subject::new(&name, &scopes, None, payload.as_bytes());
                    let by_rule: Vec<_> =
                        (0..webhooks.len()).filter(|&place| matches(&webhooks[place], &event).is_ok()).collect();
                    let mut by_index = index.places(&name);
                    by_index.retain(|&place| selects_rest(&webhooks[place], &event));
                    assert_eq!(by_index, by_rule, "{name} {scopes:?} {payload}");
                }
            }
        }
    }

    #[test]
    fn says_why_not() {
        let name: EventTypeName = "tag.subscribed".parse().expect("a name");
        let of = |scope: &str| vec![scope.to_owned()];
        let (first, second) = (of("campaign-1"), of("campaign-2"));
        let pro = |scopes| Subject::new(&name, scopes, None, br#"{"plan":"pro"}"#);
        let plain = webhook(&["tag.*"], &["campaign-1"], WebhookStatus::Active);
        assert_eq!(matches(&plain, &pro(&second)), Err(Mismatch::Scope));
        assert_eq!(matches(&plain, &pro(&first)), Ok(()));
        let picky = filtered(plain);
        assert_eq!(matches(&picky, &pro(&first)), Ok(()));
        assert_eq!(matches(&picky, &pro(&second)), Err(Mismatch::Scope));
        assert_eq!(matches(&picky, &Subject::new(&name, &first, None, b"{}")), Err(Mismatch::Filter));
        let other = "user.created".parse().expect("a name");
        assert_eq!(matches(&picky, &Subject::new(&other, &first, None, b"{}")), Err(Mismatch::EventType));
        let off = Webhook { status: WebhookStatus::Disabled(DisableReason::Manual), ..picky };
        assert_eq!(matches(&off, &pro(&first)), Err(Mismatch::Disabled));
    }
}
