//! Whose turn it is: projects take turns, and within a project its webhooks do.

use std::collections::{HashMap, VecDeque};

use tidings_domain::ids::{ProjectId, WebhookId};

/// A fair queue of webhooks that have something to send. A webhook stands in it at most once;
/// keeping that is the caller's part.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    projects: VecDeque<ProjectId>,
    webhooks: HashMap<ProjectId, VecDeque<WebhookId>>,
}

impl Ring {
    /// Lines a webhook up behind its project's others.
    pub(crate) fn push(&mut self, project: ProjectId, webhook: WebhookId) {
        let line = self.webhooks.entry(project).or_default();
        if line.is_empty() {
            self.projects.push_back(project);
        }
        line.push_back(webhook);
    }

    /// The next webhook; its project goes to the end of the line.
    pub(crate) fn pop(&mut self) -> Option<WebhookId> {
        let project = self.projects.pop_front()?;
        let line = self.webhooks.get_mut(&project)?;
        let webhook = line.pop_front();
        if line.is_empty() {
            self.webhooks.remove(&project);
        } else {
            self.projects.push_back(project);
        }
        webhook
    }

    /// Whether nobody is in line.
    pub(crate) fn is_empty(&self) -> bool {
        self.projects.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_take_turns_however_many_webhooks_they_have() {
        let (busy, small) = (ProjectId::from_parts(1, 0), ProjectId::from_parts(2, 0));
        let webhook = |number| WebhookId::from_parts(number, 0);
        let mut ring = Ring::default();
        for number in 10..14 {
            ring.push(busy, webhook(number));
        }
        ring.push(small, webhook(20));
        let order: Vec<_> = std::iter::from_fn(|| ring.pop()).collect();
        assert_eq!(order, [10, 20, 11, 12, 13].map(webhook));
        assert!(ring.is_empty());
    }
}
