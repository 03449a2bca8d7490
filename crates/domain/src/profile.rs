//! Profiles: named defaults for how a webhook is signed, rendered, retried and ended.
//!
//! The table of profiles. A profile only fills in defaults; each can be overridden on the
//! webhook. What the five systems leave open was decided there and is marked "decision" here.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    delivery::DeliveryState,
    outcome::{Action, OutcomePattern, Rule},
    render::Rendering,
    retry::{OnExhausted, Schedule},
    secret::SecretForm,
    signature::{Encoding, SignatureLayout, SignatureScheme, SignedContent},
};

/// A named set of defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Standard Webhooks.
    #[default]
    Standard,
    /// BotSubscription.
    BotSubscription,
    /// SubscribeFlow.
    SubscribeFlow,
    /// ServerAvatar.
    ServerAvatar,
    /// Botdog.
    Botdog,
}

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// 0, 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
const STANDARD_WAITS_MS: [u64; 10] = [
    0,
    5_000,
    5 * MINUTE_MS,
    30 * MINUTE_MS,
    2 * HOUR_MS,
    5 * HOUR_MS,
    10 * HOUR_MS,
    14 * HOUR_MS,
    20 * HOUR_MS,
    24 * HOUR_MS,
];
const SUBSCRIBEFLOW_WAITS_MS: [u64; 5] = [0, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 24 * HOUR_MS];
/// Decision: the system documents no retries.
const SERVERAVATAR_WAITS_MS: [u64; 3] = [0, MINUTE_MS, 5 * MINUTE_MS];
const BOTDOG_WAITS_MS: [u64; 6] = [0, MINUTE_MS, 2 * MINUTE_MS, 4 * MINUTE_MS, 8 * MINUTE_MS, 16 * MINUTE_MS];
/// Decision: 30 s doubling up to 1 h fits 30 attempts into the window of 24 h.
const BOTSUBSCRIPTION_ATTEMPTS: u32 = 30;

const fn rule(outcome: OutcomePattern, action: Action) -> Rule {
    Rule { outcome, action }
}

use OutcomePattern::{Any, Class, Network, Status, Timeout, Tls};

/// Everything but 2xx and 410 is tried again, codes that no standard knows included.
const STANDARD_RULES: &[Rule] =
    &[rule(Class(2), Action::Success), rule(Status(410), Action::DropAndDisable), rule(Any, Action::Retry)];
const BOTSUBSCRIPTION_RULES: &[Rule] = &[
    rule(Class(2), Action::Success),
    rule(Class(3), Action::Retry),
    rule(Status(404), Action::Retry),
    rule(Status(408), Action::Retry),
    rule(Status(410), Action::Retry),
    rule(Status(429), Action::Retry),
    rule(Class(4), Action::Drop),
    rule(Class(5), Action::Retry),
    rule(Timeout, Action::Retry),
    rule(Network, Action::Retry),
    rule(Tls, Action::Retry),
];
const SUBSCRIBEFLOW_RULES: &[Rule] = &[
    rule(Class(2), Action::Success),
    rule(Class(3), Action::Retry),
    rule(Class(4), Action::Drop),
    rule(Class(5), Action::Retry),
    rule(Timeout, Action::Retry),
    rule(Network, Action::Retry),
    rule(Tls, Action::Retry),
];
const SERVERAVATAR_RULES: &[Rule] = &[
    rule(Class(2), Action::Success),
    rule(Status(429), Action::Retry),
    rule(Class(5), Action::Retry),
    rule(Timeout, Action::Retry),
    rule(Network, Action::Retry),
    rule(Tls, Action::Retry),
];
/// Everything but 2xx is tried again.
const BOTDOG_RULES: &[Rule] = &[rule(Class(2), Action::Success), rule(Any, Action::Retry)];

impl Profile {
    /// All profiles, in the order of the table.
    pub const ALL: [Self; 5] =
        [Self::Standard, Self::BotSubscription, Self::SubscribeFlow, Self::ServerAvatar, Self::Botdog];

    /// The profile's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::BotSubscription => "botsubscription",
            Self::SubscribeFlow => "subscribeflow",
            Self::ServerAvatar => "serveravatar",
            Self::Botdog => "botdog",
        }
    }

    /// How bodies are rendered.
    pub const fn rendering(self) -> Rendering {
        match self {
            Self::Standard | Self::ServerAvatar => Rendering::Standard,
            Self::BotSubscription => Rendering::BotSubscription,
            Self::SubscribeFlow => Rendering::SubscribeFlow,
            Self::Botdog => Rendering::Botdog,
        }
    }

    /// How requests are signed.
    pub fn signature(self) -> SignatureScheme {
        let hmac = |header: &str, layout: &str, signed, encoding| SignatureScheme::Hmac {
            header: header.to_owned(),
            layout: SignatureLayout::parse(layout).expect("the profiles' layouts are well formed"),
            signed,
            encoding,
        };
        match self {
            Self::Standard => SignatureScheme::Standard,
            Self::BotSubscription => {
                let layout = "v1={signature},t={timestamp}";
                hmac("X-Webhook-Signature", layout, SignedContent::TimestampBody, Encoding::Hex)
            }
            Self::SubscribeFlow => {
                hmac("X-SubscribeFlow-Signature", "sha256={signature}", SignedContent::Body, Encoding::Hex)
            }
            Self::ServerAvatar => hmac("X-Webhook-Signature", "sha256={signature}", SignedContent::Body, Encoding::Hex),
            Self::Botdog => {
                let layout = "t={timestamp},s={signature}";
                hmac("X-Webhook-Signature", layout, SignedContent::TimestampBody, Encoding::Hex)
            }
        }
    }

    /// The secret a new webhook gets when its creator gives none; `None`: it stays unsigned.
    pub const fn generated_secret(self) -> Option<SecretForm> {
        match self {
            Self::Standard | Self::SubscribeFlow | Self::Botdog => Some(SecretForm::Whsec),
            Self::BotSubscription => Some(SecretForm::Hex),
            Self::ServerAvatar => None,
        }
    }

    /// Whether the secret may be looked at again.
    pub const fn secret_revealable(self) -> bool {
        matches!(self, Self::BotSubscription)
    }

    /// The waits before the attempts.
    pub fn schedule(self) -> Schedule {
        match self {
            Self::Standard => Schedule::WaitsMs(STANDARD_WAITS_MS.to_vec()),
            Self::BotSubscription => {
                Schedule::Formula { base_ms: 30_000, factor: 2.0, cap_ms: HOUR_MS, attempts: BOTSUBSCRIPTION_ATTEMPTS }
            }
            Self::SubscribeFlow => Schedule::WaitsMs(SUBSCRIBEFLOW_WAITS_MS.to_vec()),
            Self::ServerAvatar => Schedule::WaitsMs(SERVERAVATAR_WAITS_MS.to_vec()),
            Self::Botdog => Schedule::WaitsMs(BOTDOG_WAITS_MS.to_vec()),
        }
    }

    /// The share by which waits are lengthened at random; none where the document promises the waits.
    pub const fn jitter(self) -> f64 {
        match self {
            Self::Standard | Self::BotSubscription => 0.2,
            Self::SubscribeFlow | Self::ServerAvatar | Self::Botdog => 0.0,
        }
    }

    /// Which outcomes mean what.
    pub const fn rules(self) -> &'static [Rule] {
        match self {
            Self::Standard => STANDARD_RULES,
            Self::BotSubscription => BOTSUBSCRIPTION_RULES,
            Self::SubscribeFlow => SUBSCRIBEFLOW_RULES,
            Self::ServerAvatar => SERVERAVATAR_RULES,
            Self::Botdog => BOTDOG_RULES,
        }
    }

    /// What used-up attempts do to the webhook.
    pub const fn on_exhausted(self) -> OnExhausted {
        match self {
            Self::SubscribeFlow => OnExhausted::Deactivate,
            Self::Standard | Self::BotSubscription | Self::ServerAvatar | Self::Botdog => OnExhausted::Keep,
        }
    }

    /// After how long of nothing but failures the webhook is disabled, in milliseconds.
    pub const fn disable_after_failing_ms(self) -> Option<u64> {
        match self {
            Self::Standard => Some(5 * 24 * HOUR_MS),
            Self::BotSubscription | Self::SubscribeFlow | Self::ServerAvatar | Self::Botdog => None,
        }
    }

    /// The deadline of one exchange, in milliseconds.
    pub const fn timeout_ms(self) -> u32 {
        match self {
            Self::Standard => 15_000,
            Self::BotSubscription | Self::SubscribeFlow | Self::ServerAvatar | Self::Botdog => 10_000,
        }
    }

    /// The profile's word for a delivery's state, as its compatible API and the portal show it.
    pub const fn state_word(self, state: DeliveryState) -> &'static str {
        match (self, state) {
            (Self::ServerAvatar, DeliveryState::Delivered) => "Success",
            (Self::ServerAvatar, _) => "Failed",
            (Self::Botdog, DeliveryState::Pending) => "PENDING",
            (Self::Botdog, DeliveryState::Retrying) => "RETRYING",
            (Self::Botdog, DeliveryState::Delivered) => "SUCCESS",
            (Self::Botdog, _) => "FAILED",
            (Self::SubscribeFlow, DeliveryState::Dropped | DeliveryState::Cancelled) => "failed",
            (_, state) => state.as_str(),
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|profile| profile.as_str() == text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|profile| profile.as_str()).collect();
            format!("{text:?} is not a profile; the profiles are {}", known.join(", "))
        })
    }
}
