//! The platform of the demo: event types, webhooks, events, all made through the public API.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use serde_json::value::RawValue;
use tidings_client::{Client, DeliveryQuery};
use tidings_contract::{
    delivery::DeliverySummary,
    event::PublishRequest,
    event_type::EventTypeRequest,
    webhook::{RetryBody, WebhookRequest},
};

use super::receiver::{FLAKY_FAILURES, FLAKY_PATH};

/// The outgoing profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DemoProfile {
    Standard,
    BotSubscription,
    SubscribeFlow,
    ServerAvatar,
    Botdog,
}

impl DemoProfile {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::BotSubscription => "botsubscription",
            Self::SubscribeFlow => "subscribeflow",
            Self::ServerAvatar => "serveravatar",
            Self::Botdog => "botdog",
        }
    }

    /// The header a receiver looks into.
    pub(super) const fn signature_header(self) -> &'static str {
        match self {
            Self::Standard => "webhook-signature",
            Self::SubscribeFlow => "x-subscribeflow-signature",
            Self::BotSubscription | Self::ServerAvatar | Self::Botdog => "x-webhook-signature",
        }
    }
}

/// What is published, and to which address it goes.
struct Scene {
    profile: DemoProfile,
    path: &'static str,
    event_type: &'static str,
    description: &'static str,
    data: &'static str,
}

const SCENES: [Scene; 6] = [
    Scene {
        profile: DemoProfile::Standard,
        path: "/standard",
        event_type: "order.paid",
        description: "An order was paid",
        data: r#"{"order":"A-1042","total":"19.99","currency":"EUR"}"#,
    },
    Scene {
        profile: DemoProfile::BotSubscription,
        path: "/botsubscription",
        event_type: "payment-request.completed",
        description: "A payment request was settled",
        data: r#"{"payment_request_id":"pr_7","amount":"19.99","currency":"USD"}"#,
    },
    Scene {
        profile: DemoProfile::SubscribeFlow,
        path: "/subscribeflow",
        event_type: "tag.subscribed",
        description: "A subscriber subscribed to a tag",
        data: r#"{"subscriber":{"email":"user@example.com"},"tag":{"name":"product-updates"}}"#,
    },
    Scene {
        profile: DemoProfile::ServerAvatar,
        path: "/serveravatar",
        event_type: "server.created",
        description: "A server was created",
        data: r#"{"server":"web-3","region":"fra1"}"#,
    },
    Scene {
        profile: DemoProfile::Botdog,
        path: "/botdog",
        event_type: "LEAD_MESSAGE_REPLIED",
        description: "Received a reply",
        data: r#"{"campaignId":"campaign-42","contactName":"A. Contact","message":"Tell me more"}"#,
    },
    Scene {
        profile: DemoProfile::Standard,
        path: FLAKY_PATH,
        event_type: "order.shipped",
        description: "An order was shipped",
        data: r#"{"order":"A-1042","carrier":"post"}"#,
    },
];

/// The secret that the demo supplies where a profile generates none.
const SUPPLIED_SECRET: &str = "a-secret-of-the-customers-own";
/// The waits before the attempts at the address that fails, in seconds.
const FLAKY_SCHEDULE_S: [f64; 4] = [0.0, 1.0, 2.0, 4.0];

/// A webhook of the demo.
pub(super) struct Hook {
    pub(super) profile: DemoProfile,
    pub(super) path: &'static str,
    pub(super) url: String,
    pub(super) event_type: &'static str,
    pub(super) secret: String,
    pub(super) id: String,
}

/// Requests that an event leads to.
pub(super) struct Expected {
    pub(super) requests: u32,
}

/// What was set up.
pub(super) struct Platform {
    pub(super) hooks: Vec<Hook>,
}

impl Platform {
    /// Makes event types and webhooks.
    pub(super) async fn prepare(client: &Client, receiver: SocketAddr) -> anyhow::Result<Self> {
        let mut hooks = Vec::with_capacity(SCENES.len());
        for scene in &SCENES {
            let event_type = EventTypeRequest {
                name: Some(scene.event_type.to_owned()),
                group: None,
                description: Some(scene.description.to_owned()),
                example: None,
                schema: None,
                archived: false,
            };
            match client.create_event_type(&event_type).await {
                // A second demo in the same directory finds the types of the first.
                Err(error) if error.code() == Some("already_exists") => {}
                other => drop(other?),
            }
            let url = format!("http://{receiver}{}", scene.path);
            let created = client.create_webhook(&webhook(scene, &url)).await?;
            hooks.push(Hook {
                profile: scene.profile,
                path: scene.path,
                url,
                event_type: scene.event_type,
                secret: created.secret.context("a new webhook shows its secret once")?,
                id: created.id.to_string(),
            });
        }
        Ok(Self { hooks })
    }

    /// The webhook behind a path of the receiver.
    pub(super) fn hook(&self, path: &str) -> Option<&Hook> {
        self.hooks.iter().find(|hook| hook.path == path)
    }

    /// Publishes one event per webhook.
    pub(super) async fn publish(&self, client: &Client) -> anyhow::Result<Vec<Expected>> {
        let mut expected = Vec::new();
        for scene in &SCENES {
            let data = RawValue::from_string(scene.data.to_owned())?;
            client
                .publish(&PublishRequest {
                    event_type: scene.event_type.into(),
                    data: Some(&data),
                    id: None,
                    scope: None,
                    idempotency_key: None,
                    content_type: None,
                    schema_version: None,
                    body_base64: None,
                    deliver_at: None,
                })
                .await?;
            let failures = if scene.path == FLAKY_PATH { FLAKY_FAILURES } else { 0 };
            expected.push(Expected { requests: 1 + failures });
        }
        Ok(expected)
    }

    /// The deliveries once all of them have ended.
    pub(super) async fn settled(&self, client: &Client) -> anyhow::Result<Vec<DeliverySummary>> {
        const LOOKS: u32 = 100;
        const PAUSE: Duration = Duration::from_millis(50);
        for _ in 0..LOOKS {
            let mut found = Vec::new();
            for hook in &self.hooks {
                let query = DeliveryQuery { webhook_id: Some(hook.id.clone()), ..DeliveryQuery::default() };
                found.extend(client.list_deliveries(&query).await?.data);
            }
            if found.len() == self.hooks.len() && found.iter().all(|delivery| delivery.status == "delivered") {
                return Ok(found);
            }
            tokio::time::sleep(PAUSE).await;
        }
        anyhow::bail!("the deliveries did not end within 5 s")
    }
}

fn webhook(scene: &Scene, url: &str) -> WebhookRequest {
    let flaky = scene.path == FLAKY_PATH;
    WebhookRequest {
        url: Some(url.to_owned()),
        name: Some(Some(format!("demo {}", scene.path.trim_start_matches('/')))),
        events: Some(vec![scene.event_type.to_owned()]),
        profile: Some(scene.profile.as_str().to_owned()),
        secret: (scene.profile == DemoProfile::ServerAvatar).then(|| Some(SUPPLIED_SECRET.to_owned())),
        retry: flaky.then(|| {
            Some(RetryBody { schedule_s: Some(FLAKY_SCHEDULE_S.to_vec()), jitter: Some(0.0), ..RetryBody::default() })
        }),
        ..WebhookRequest::default()
    }
}
