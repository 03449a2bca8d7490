//! Examples of webhooks.

use serde_json::{Value, json};

use super::{TestFilter, TestFilterBody, TestResultBody, TestWebhook, WebhookBody, WebhookRequest};
use crate::{sample, wire::Wire};

impl Wire for WebhookRequest {
    fn example() -> Value {
        json!({
            "url": "https://shop.example.com/hooks/tidings",
            "name": "Shop",
            "events": ["tag.*"],
            "scopes": ["list_42"],
            "filter": {"path": "/data/tag", "op": "eq", "value": "customer"},
            "headers": {"X-Shop-Region": "eu"},
            "retry": {
                "schedule_s": [0, 60, 300, 3600],
                "jitter": 0.2,
                "rules": [{"outcome": "409", "action": "drop"}],
                "on_exhausted": "keep",
            },
            "timeout_ms": 10000,
        })
    }
}

impl Wire for WebhookBody {
    fn example() -> Value {
        json!({
            "id": sample::WEBHOOK,
            "project_id": sample::PROJECT,
            "url": "https://shop.example.com/hooks/tidings",
            "name": "Shop",
            "description": null,
            "events": ["tag.*"],
            "scopes": ["list_42"],
            "filter": {"path": "/data/tag", "op": "eq", "value": "customer"},
            "profile": "standard",
            "enabled": true,
            "status": "active",
            "disabled_reason": null,
            "signed": true,
            "headers": {"X-Shop-Region": "********"},
            "signature": {"scheme": "standard"},
            "retry": {
                "schedule_s": [0.0, 60.0, 300.0, 3600.0],
                "jitter": 0.2,
                "rules": [{"outcome": "409", "action": "drop"}],
                "on_exhausted": "keep",
            },
            "timeout_ms": 10000,
            "max_in_flight": null,
            "tidings_headers": true,
            "transform": null,
            "failure_count": 0,
            "last_event": {"type": sample::TYPE, "at": sample::ACCEPTED},
            "last_triggered_at": sample::ACCEPTED,
            "previous_valid_until": null,
            "created_at": sample::CREATED,
            "updated_at": sample::CREATED,
        })
    }
}

impl Wire for TestWebhook {
    fn example() -> Value {
        json!({"event_type": sample::TYPE})
    }
}

impl Wire for TestResultBody {
    fn example() -> Value {
        json!({
            "success": true,
            "status_code": 200,
            "response_time_ms": 19,
            "error": null,
            "delivery_id": sample::DELIVERY,
        })
    }
}

impl Wire for TestFilter {
    fn example() -> Value {
        json!({
            "filter": {"path": "/data/tag", "op": "eq", "value": "customer"},
            "events": ["tag.*"],
            "limit": 20,
        })
    }
}

impl Wire for TestFilterBody {
    fn example() -> Value {
        json!({
            "data": [{
                "event_id": sample::EVENT,
                "type": sample::TYPE,
                "created_at": sample::ACCEPTED,
                "matched": false,
                "reason": "filter",
            }],
            "matched": 0,
            "tested": 1,
        })
    }
}
