//! Which webhooks get an event, and why the others do not.

use std::collections::HashMap;

use crate::{
    event_type::{EventPattern, EventTypeName},
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
}

/// Decides about one webhook; the index below gives the same answers for many at once.
pub fn matches(webhook: &Webhook, event_type: &EventTypeName, scopes: &[String]) -> Result<(), Mismatch> {
    if !webhook.status.takes_events() {
        return Err(Mismatch::Disabled);
    }
    let settings = &webhook.settings;
    if !settings.events.is_empty() && !settings.events.iter().any(|pattern| pattern.selects(event_type)) {
        return Err(Mismatch::EventType);
    }
    if !scope_selected(settings, scopes) {
        return Err(Mismatch::Scope);
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

/// Whether a webhook that selects the type also selects the event's scopes.
pub fn selects_scope(webhook: &Webhook, scopes: &[String]) -> bool {
    scope_selected(&webhook.settings, scopes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
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

    #[test]
    fn index_and_rule_agree() {
        let webhooks = [
            webhook(&[], &[], WebhookStatus::Active),
            webhook(&["*"], &[], WebhookStatus::Paused),
            webhook(&["tag.*", "tag.subscribed"], &[], WebhookStatus::Active),
            webhook(&["tag.subscribed"], &["campaign-1"], WebhookStatus::Active),
            webhook(&["user.created"], &[], WebhookStatus::Active),
            webhook(&[], &[], WebhookStatus::Disabled(DisableReason::Manual)),
        ];
        let index = MatchIndex::new(webhooks.iter());
        for name in ["tag.subscribed", "tag.removed", "user.created", "tagged"] {
            let name: EventTypeName = name.parse().expect("a name");
            for scopes in [vec![], vec!["campaign-1".to_owned()], vec!["campaign-2".to_owned()]] {
                let by_rule: Vec<_> =
                    (0..webhooks.len()).filter(|&place| matches(&webhooks[place], &name, &scopes).is_ok()).collect();
                let mut by_index = index.places(&name);
                by_index.retain(|&place| selects_scope(&webhooks[place], &scopes));
                assert_eq!(by_index, by_rule, "{name} {scopes:?}");
            }
        }
    }

    #[test]
    fn says_why_not() {
        let name: EventTypeName = "tag.subscribed".parse().expect("a name");
        let foreign = webhook(&["tag.*"], &["campaign-1"], WebhookStatus::Active);
        assert_eq!(matches(&foreign, &name, &["campaign-2".to_owned()]), Err(Mismatch::Scope));
        assert_eq!(matches(&foreign, &name, &["campaign-1".to_owned()]), Ok(()));
    }
}
