//! Plans, quotas, keys, the audit log, bots, and portals.

use std::sync::Arc;

use bytes::Bytes;
use tidings_domain::{
    command::Bot,
    ids::{ApiKeyId, AuditId, PortalSessionId},
    page::PageRequest,
    plan::{Plan, Plans},
    portal::{PORTAL_SCOPES, Portal, PortalSession},
    tenancy::{ApiKey, KeyOwner, Scope, Scopes},
};
use tidings_fakes::Random;
use tidings_ports::store::{
    AuditActor, AuditEntry, AuditFilter, BotRecord, NewApiKey, NewPortalSession, OrganizationChange, PortalPut,
};

use super::{
    super::trial::{Trial, any, sorted},
    text,
};

const PLANS: [&str; 3] = ["free", "team", "team-2"];
const ACTIONS: [&str; 3] = ["webhook.created", "webhook.deleted", "key.created"];

impl Trial {
    pub(super) async fn tenants(&mut self, random: &mut Random) {
        match random.below(5) {
            0 => self.plans(random).await,
            1 => self.quotas(random).await,
            2 => self.keys(random).await,
            3 => self.audit(random).await,
            _ => self.bots(random).await,
        }
    }

    async fn plans(&mut self, random: &mut Random) {
        let (organization, now) = (self.any_organization(random), self.now);
        if random.percent(40) {
            let mut plans = Plans::default();
            for name in PLANS {
                let webhooks = random.percent(50).then(|| random.below(4) as u32);
                plans.put(Plan { iterations: Some(u32::MAX), ..Plan::new(name.parse().expect("a name"), webhooks) });
            }
            plans.set_default(random.pick(&PLANS));
            let plans = Arc::new(plans);
            return self.ask_alike(&plans.clone(), async |it| it.store.set_plans(Arc::clone(&plans), now).await).await;
        }
        let plan: tidings_domain::plan::PlanName = random.pick(&PLANS).parse().expect("a name");
        self.ask_alike(&("set_plan", organization, &plan.clone()), async |it| {
            it.store.set_plan(organization, plan.clone(), now).await
        })
        .await;
    }

    async fn quotas(&mut self, random: &mut Random) {
        let (organization, at, all) = (self.any_organization(random), self.now, self.organizations());
        self.ask_alike(&("quota", organization), async |it| {
            if at.as_millis() % 3 == 0 {
                it.store.report_used_up(organization, at).await?;
            }
            let usage = sorted(it.store.usage_of(all.clone(), at).await?, |usage| usage.id);
            Ok((it.store.find_quota(organization, at).await?, usage, it.store.count_webhooks_of(organization).await?))
        })
        .await;
        let change = OrganizationChange { name: Some(text(random)), schema_mode: None };
        let page = PageRequest { limit: random.between(1, 3) as u32, before: None };
        self.ask_alike(&("update_organization", change.clone()), async |it| {
            let changed = it.store.update_organization(organization, change.clone(), None).await?;
            Ok((changed, it.store.list_organizations(page).await?, it.store.list_reports(100).await?.len()))
        })
        .await;
    }

    async fn keys(&mut self, random: &mut Random) {
        let (organization, now) = (self.any_organization(random), self.now);
        let owner = random.percent(70).then_some(organization);
        if random.percent(50) {
            let id = ApiKeyId::from_parts(self.sequence(1), 4);
            // Two keys of one hash cannot be.
            let hash = random.below(12) as u8;
            self.others.keys.push((id, hash));
            let key = ApiKey {
                id,
                owner: owner.map_or(KeyOwner::Operator, |id| KeyOwner::Organization { id, project_id: None }),
                name: text(random),
                prefix: "tdk_1".to_owned(),
                scopes: Scope::ALL.into_iter().filter(|_| random.percent(50)).collect::<Scopes>(),
                expires_at: random.percent(50).then_some(now),
                revoked_at: None,
            };
            let new = NewApiKey { key, hash: [hash; 32] };
            return self.ask_alike(&new.clone(), async |it| it.store.create_api_key(new.clone(), None).await).await;
        }
        let Some((id, hash)) = any(random, self.others.keys.iter().copied()) else { return };
        let page = PageRequest { limit: random.between(1, 3) as u32, before: None };
        let revokes = random.percent(30);
        self.ask_alike(&("keys", id, revokes), async |it| {
            let revoked = if revokes { it.store.revoke_api_key(owner, id, now).await? } else { None };
            Ok((revoked, it.store.find_api_key([hash; 32]).await?, it.store.list_api_keys(owner, page).await?))
        })
        .await;
    }

    async fn audit(&mut self, random: &mut Random) {
        let (id, project) = (AuditId::from_parts(self.sequence(1), 4), self.any_project(random));
        let entry = AuditEntry {
            id,
            organization_id: random.percent(70).then(|| self.any_organization(random)),
            project_id: random.percent(50).then_some(project),
            actor: AuditActor::Instance,
            operator: random.percent(50),
            action: random.pick(&ACTIONS).to_owned(),
            subject: text(random),
            detail: text(random),
            address: "203.0.113.7".to_owned(),
        };
        self.ask_alike(&entry.clone(), async |it| it.store.append_audit(entry.clone()).await).await;
        let filter = AuditFilter {
            organization_id: random.percent(60).then(|| self.any_organization(random)),
            action: random.percent(40).then(|| random.pick(&ACTIONS).to_owned()),
            since: random.percent(30).then(|| self.any_time(random)),
            until: random.percent(30).then(|| self.any_time(random)),
        };
        let page = PageRequest { limit: random.between(1, 4) as u32, before: None };
        self.ask_alike(&("list_audit", &filter.clone(), page), async |it| {
            it.store.list_audit(filter.clone(), page).await
        })
        .await;
    }

    async fn bots(&mut self, random: &mut Random) {
        let (project_id, now) = (self.any_project(random), self.now);
        let bot_id: tidings_domain::command::BotId =
            random.pick(&["1", "a", "A"]).to_owned().try_into().expect("an id");
        let bot = Bot { id: bot_id.clone(), project_id, redirect_hosts: Vec::new(), updated_at: now };
        let (record, deletes) = (BotRecord { bot, sealed: vec![0, 255] }, random.percent(20));
        self.ask_alike(&("bot", &record.clone(), deletes), async |it| {
            let put = it.store.put_bot(record.clone(), None).await?;
            let deleted = deletes && it.store.delete_bot(project_id).await?;
            Ok((put, deleted, it.store.find_bot(project_id).await?, it.store.find_bot_by_id(bot_id.clone()).await?))
        })
        .await;
    }

    pub(super) async fn portals(&mut self, random: &mut Random) {
        let (project_id, now) = (self.any_project(random), self.now);
        match random.below(4) {
            0 => {
                let logo = random.percent(50).then(|| random.percent(50).then(|| Bytes::from_static(b"\x89PNG\0")));
                let put = PortalPut { project_id, portal: Portal::of(&text(random)), logo, now };
                self.ask_alike(&put.clone(), async |it| {
                    let saved = it.store.put_portal(put.clone(), None).await?;
                    let found = it.store.find_portal(project_id).await?;
                    Ok((saved, found, it.store.find_portal_logo(project_id).await?))
                })
                .await;
            }
            1 => {
                let id = PortalSessionId::from_parts(self.sequence(1), 4);
                let hash = random.below(9) as u8;
                self.others.sessions.push((id, hash));
                let session = PortalSession {
                    id,
                    project_id,
                    scopes: PORTAL_SCOPES.into_iter().filter(|_| random.percent(70)).collect(),
                    mode: None,
                    return_url: random.percent(30).then_some(None),
                    expires_at: now.plus_millis(random.below(100_000)),
                };
                let new = NewPortalSession { session, hash: [hash; 32] };
                self.ask_alike(&new.clone(), async |it| it.store.create_portal_session(new.clone(), None).await).await;
            }
            2 => {
                let Some((id, hash)) = any(random, self.others.sessions.iter().copied()) else { return };
                let ends = random.percent(40);
                self.ask_alike(&("portal_session", id, ends), async |it| {
                    let ended = ends && it.store.end_portal_session(project_id, id, now).await?;
                    let found = it.store.find_portal_session([hash; 32]).await?;
                    Ok((ended, found, it.store.find_portal_session_by_id(id).await?))
                })
                .await;
            }
            _ => {
                let (before, limit) = (self.any_time(random), random.between(1, 3) as u32);
                self.ask_alike(&("expire_portal_sessions", before, limit), async |it| {
                    it.store.expire_portal_sessions(before, limit).await
                })
                .await;
            }
        }
    }
}
