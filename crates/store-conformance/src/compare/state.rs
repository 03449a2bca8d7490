//! Everything that can be seen.

use tidings_domain::page::{PAGE_ROWS_MAX, PageRequest};
use tidings_ports::store::{DeliveryFilter, EventFilter};

use super::trial::{Trial, sorted};

/// Reports of a trial at most.
const REPORTS: u32 = 10_000;

impl Trial {
    pub(super) async fn compare_state(&mut self) {
        let now = self.now;
        let right = self.model.audit_ledger();
        self.ask(&"audit_ledger", right, async |it| it.store.audit_ledger().await).await;
        let right = self.model.counts(now);
        self.ask(&"counts", right, async |it| it.store.counts(now).await).await;
        let right = self.model.backlog();
        self.ask(&"backlog", right, async |it| Ok(sorted(it.store.backlog().await?, |lane| lane.webhook_id))).await;
        let right = self.model.reports.clone();
        self.ask(&"list_reports", right.iter().map(|(name, at)| ((*name).to_owned(), *at)).collect(), async |it| {
            let reports = it.store.list_reports(REPORTS).await?;
            Ok(reports.into_iter().map(|report| (report.event_type, report.created_at)).collect::<Vec<_>>())
        })
        .await;
        self.compare_webhooks().await;
        self.compare_history().await;
    }

    async fn compare_webhooks(&mut self) {
        let waiting = self.model.webhooks_to_cancel();
        // A webhook may be in the list as long as nobody has seen that nothing waits for it.
        self.ask(&"webhooks_to_cancel", waiting.clone(), async |it| {
            let listed = it.store.webhooks_to_cancel().await?;
            Ok(sorted(listed.into_iter().filter(|id| waiting.contains(id)).collect(), |id| *id))
        })
        .await;
        let all: Vec<_> = self.model.webhooks.iter().map(|(id, row)| (*id, row.record.webhook.project_id)).collect();
        for (id, project) in all {
            let right = self.model.find_webhook(project, id).cloned();
            self.ask(&("find_webhook", id), right, async |it| it.store.find_webhook(project, id).await).await;
        }
    }

    async fn compare_history(&mut self) {
        let now = self.now;
        for project in self.projects() {
            let page = PageRequest { limit: PAGE_ROWS_MAX, before: None };
            let right = self.model.list_events(project, &EventFilter::default(), page);
            self.ask(&("list_events", project), right, async |it| {
                it.store.list_events(project, EventFilter::default(), page).await
            })
            .await;
            let right = self.model.list_deliveries(project, &DeliveryFilter::default(), page);
            self.ask(&("list_deliveries", project), right, async |it| {
                it.store.list_deliveries(project, DeliveryFilter::default(), page).await
            })
            .await;
            let right = self.model.statistics(project, None, crate::START, now);
            self.ask(&("statistics", project), right, async |it| {
                it.store.statistics(project, None, crate::START, now).await
            })
            .await;
            let right = self.model.waiting(project, None, now);
            self.ask(&("waiting", project), right, async |it| it.store.waiting(project, None, now).await).await;
        }
    }
}
