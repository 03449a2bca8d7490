//! Every operation of the native API: method, path, who may use it, query, body, answer, and errors of its own.

use tidings_domain::tenancy::Scope;

pub use crate::operation::{Access, Operation, Takes};
use crate::{
    audit::AuditEntryBody,
    batch::{BatchBody, RawBatchRequest},
    billing::BillingBody,
    bot::{BotBody, ImportBot},
    codes::ErrorCode::{
        AlreadyExists, BacklogFull, ChangedMeanwhile, IdempotencyConflict, InFlight, LastOwner, LimitExceeded,
        PayloadExpunged, PreconditionFailed, RateLimited, SchemaViolation, SecretNotRevealable, UnknownEventType,
        UrlNotAllowed, ValidationFailed, WebhookDisabled,
    },
    command::{
        CommandBody, CommandRequest, CommandSettingsBody, CommandSettingsRequest, HookUrlBody, HookUrlRequest,
        RotateHookKey, RotatedHookKeyBody, RunBody, RunRequest, RunSummary, UpdateCommand,
    },
    delivery::{AttemptBody, DeliveryBody, DeliverySummary, LogBody, RetryDelivery},
    event::{EventBody, PublishRequest, PublishedBody},
    event_type::{EventTypeBody, EventTypeRequest, ImportEventTypes, ImportedEventTypesBody, RefusedTypeBody},
    gap_fill::{FillBody, FillRequest},
    instance::LanesBody,
    job::{JobAnswer, JobBody, RecoverRequest, ReplayEventRequest, ReplayRequest, ReplayedEventBody},
    list::ListBody,
    member::{InviteBody, InviteMember, MemberBody, StartLinkBody, UpdateMember},
    operation::operation,
    parameters::{
        ACTION, AFTER, BELOW, COMMAND, CURSOR, DAYS, EVENT_TYPE, FAILING, HOURS, LIMIT, OPERATOR, OPERATORS, PAGE,
        RECEIPT_TYPE, RUN_STATUS, SCOPE, SEARCH, SINCE, SOURCE_ID, STATUS, TYPE, UNTIL, USAGE, WEBHOOK_ID, WEBHOOK_IDS,
        WEBHOOK_STATUS,
    },
    plan::{PlanBody, SetPlan, UsageBody},
    portal::{CreatePortalSession, PortalBody, PortalRequest, PortalSessionBody},
    preset::{PresetBody, PresetSummary},
    record::{PutRecord, RecordBody, RecordHistoryBody, RecordListBody},
    secret::{RotateSecret, RotatedSecretBody, SecretBody},
    source::{PreviewBody, PreviewRequest, ReceiptBody, ReceiptReplayedBody, SourceBody, SourceRequest},
    statistics::{StatisticsBody, WebhookHoursBody},
    stream::DeliveryNews,
    tenancy::{
        ApiKeyBody, CreateApiKey, CreateOrganization, CreateProject, InstanceBody, OrganizationBody, ProjectBody,
        UpdateOrganization, UpdateProject,
    },
    transform::{TestTransform, TestTransformBody},
    webhook::{TestFilter, TestFilterBody, TestResultBody, TestWebhook, WebhookBody, WebhookRequest},
};

const READERS: &[Scope] = &[Scope::DeliveriesRead, Scope::WebhooksManage];
const RECEIVERS: &[Scope] = &[Scope::DeliveriesRead, Scope::SourcesManage];
const COMMANDS: Access = Access::Scope(Scope::CommandsManage);
const COMMAND_READERS: Access = Access::AnyOf(&[Scope::Read, Scope::CommandsManage]);

/// All operations.
pub const OPERATIONS: &[Operation] = &[
    operation("POST", "/events", Access::Scope(Scope::EventsWrite), 202, "Publish an event")
        .takes::<PublishRequest<'static>>()
        .answers::<PublishedBody>(&[
            IdempotencyConflict,
            AlreadyExists,
            UnknownEventType,
            SchemaViolation,
            BacklogFull,
        ]),
    operation("POST", "/events/batch", Access::Scope(Scope::EventsWrite), 202, "Publish up to 1,000 events at once")
        .takes::<RawBatchRequest<'static>>()
        .answers::<BatchBody>(&[IdempotencyConflict, RateLimited, BacklogFull]),
    operation("GET", "/events", Access::AnyOf(READERS), 200, "List events")
        .query(&[TYPE, SCOPE, SINCE, UNTIL, LIMIT, CURSOR])
        .bare()
        .answers::<ListBody<EventBody>>(&[]),
    operation("GET", "/events/{id}", Access::AnyOf(READERS), 200, "Get an event with its deliveries")
        .bare()
        .answers::<EventBody>(&[]),
    operation("DELETE", "/events/{id}/payload", Access::Scope(Scope::Admin), 204, "Delete an event's payload")
        .bare()
        .answers_nothing(&[InFlight]),
    operation("POST", "/events/{id}/replay", Access::Scope(Scope::WebhooksManage), 202, "Send an event again")
        .may_take::<ReplayEventRequest>()
        .answers::<ReplayedEventBody>(&[IdempotencyConflict, WebhookDisabled, PayloadExpunged]),
    operation("POST", "/webhooks", Access::Scope(Scope::WebhooksManage), 201, "Create a webhook")
        .takes::<WebhookRequest>()
        .answers::<WebhookBody>(&[IdempotencyConflict, UrlNotAllowed, LimitExceeded]),
    operation(
        "POST",
        "/webhooks/{id}/test-transform",
        Access::Scope(Scope::WebhooksManage),
        200,
        "Try a transform on recent events",
    )
    .takes::<TestTransform>()
    .answers::<TestTransformBody>(&[]),
    operation(
        "POST",
        "/webhooks/test-filter",
        Access::AnyOf(READERS),
        200,
        "Try a webhook's selection on recent events",
    )
    .takes::<TestFilter>()
    .answers::<TestFilterBody>(&[]),
    operation("GET", "/webhooks", Access::AnyOf(READERS), 200, "List webhooks")
        .query(&[SEARCH, WEBHOOK_STATUS, FAILING, LIMIT, CURSOR])
        .bare()
        .answers::<ListBody<WebhookBody>>(&[]),
    operation("GET", "/webhooks/{id}", Access::AnyOf(READERS), 200, "Get a webhook").bare().answers::<WebhookBody>(&[]),
    operation("PUT", "/webhooks/{id}", Access::Scope(Scope::WebhooksManage), 200, "Change a webhook")
        .takes::<WebhookRequest>()
        .answers::<WebhookBody>(&[UrlNotAllowed, ChangedMeanwhile, PreconditionFailed, LimitExceeded]),
    operation("PATCH", "/webhooks/{id}", Access::Scope(Scope::WebhooksManage), 200, "Change a webhook")
        .takes::<WebhookRequest>()
        .answers::<WebhookBody>(&[UrlNotAllowed, ChangedMeanwhile, PreconditionFailed, LimitExceeded]),
    operation("DELETE", "/webhooks/{id}", Access::Scope(Scope::WebhooksManage), 204, "Delete a webhook")
        .bare()
        .answers_nothing(&[]),
    operation("POST", "/webhooks/{id}/enable", Access::Scope(Scope::WebhooksManage), 200, "Enable a webhook")
        .bare()
        .answers::<WebhookBody>(&[ChangedMeanwhile, LimitExceeded]),
    operation("POST", "/webhooks/{id}/disable", Access::Scope(Scope::WebhooksManage), 200, "Disable a webhook")
        .bare()
        .answers::<WebhookBody>(&[ChangedMeanwhile]),
    operation("POST", "/webhooks/{id}/pause", Access::Scope(Scope::WebhooksManage), 200, "Pause a webhook")
        .bare()
        .answers::<WebhookBody>(&[ChangedMeanwhile, WebhookDisabled]),
    operation("POST", "/webhooks/{id}/resume", Access::Scope(Scope::WebhooksManage), 200, "Resume a paused webhook")
        .bare()
        .answers::<WebhookBody>(&[ChangedMeanwhile, WebhookDisabled]),
    operation("POST", "/webhooks/{id}/rotate-secret", Access::Scope(Scope::WebhooksManage), 200, "Exchange the secret")
        .may_take::<RotateSecret>()
        .answers::<RotatedSecretBody>(&[IdempotencyConflict, ChangedMeanwhile]),
    operation("GET", "/webhooks/{id}/secret", Access::Scope(Scope::WebhooksManage), 200, "Look at a secret again")
        .bare()
        .answers::<SecretBody>(&[SecretNotRevealable]),
    operation("POST", "/webhooks/{id}/test", Access::Scope(Scope::WebhooksManage), 200, "Send a test event")
        .may_take::<TestWebhook>()
        .answers::<TestResultBody>(&[UnknownEventType, RateLimited]),
    operation("GET", "/webhooks/{id}/deliveries", Access::AnyOf(READERS), 200, "List a webhook's deliveries")
        .query(&[EVENT_TYPE, STATUS, SINCE, UNTIL, LIMIT, CURSOR])
        .bare()
        .answers::<ListBody<DeliverySummary>>(&[]),
    operation("GET", "/webhooks/{id}/logs", Access::AnyOf(READERS), 200, "List a webhook's deliveries in brief")
        .query(PAGE)
        .bare()
        .answers::<LogBody>(&[]),
    operation("POST", "/webhooks/{id}/recover", Access::Scope(Scope::WebhooksManage), 202, "Send what ended again")
        .takes::<RecoverRequest>()
        .answers::<JobAnswer>(&[IdempotencyConflict, WebhookDisabled, RateLimited]),
    operation("POST", "/webhooks/{id}/replay", Access::Scope(Scope::WebhooksManage), 202, "Send events of the past")
        .takes::<ReplayRequest>()
        .answers::<JobAnswer>(&[IdempotencyConflict, WebhookDisabled, RateLimited]),
    operation("GET", "/jobs", Access::AnyOf(READERS), 200, "List jobs")
        .query(PAGE)
        .bare()
        .answers::<ListBody<JobBody>>(&[]),
    operation("GET", "/jobs/{id}", Access::AnyOf(READERS), 200, "Get a job and its progress")
        .bare()
        .answers::<JobBody>(&[]),
    operation("DELETE", "/jobs/{id}", Access::Scope(Scope::WebhooksManage), 200, "Cancel a job")
        .bare()
        .answers::<JobBody>(&[]),
    operation("GET", "/webhooks/{id}/stats", Access::AnyOf(READERS), 200, "Get a webhook's statistics")
        .query(&[DAYS, HOURS])
        .bare()
        .answers::<StatisticsBody>(&[]),
    operation("GET", "/stats", Access::AnyOf(READERS), 200, "Get a project's statistics")
        .query(&[DAYS, HOURS])
        .bare()
        .answers::<StatisticsBody>(&[]),
    operation("GET", "/stats/webhooks", Access::AnyOf(READERS), 200, "List the last 24 hours of webhooks")
        .query(&[WEBHOOK_IDS, LIMIT, CURSOR])
        .bare()
        .answers::<ListBody<WebhookHoursBody>>(&[]),
    operation("GET", "/stream", Access::AnyOf(READERS), 200, "Listen to what happens to deliveries")
        .bare()
        .streams::<DeliveryNews>(&[RateLimited]),
    operation("GET", "/deliveries", Access::AnyOf(READERS), 200, "List deliveries")
        .query(&[WEBHOOK_ID, EVENT_TYPE, STATUS, SINCE, UNTIL, LIMIT, CURSOR])
        .bare()
        .answers::<ListBody<DeliverySummary>>(&[]),
    operation("GET", "/deliveries/{id}", Access::AnyOf(READERS), 200, "Get a delivery with its attempts")
        .bare()
        .answers::<DeliveryBody>(&[]),
    operation("GET", "/deliveries/{id}/attempts", Access::AnyOf(READERS), 200, "List a delivery's attempts")
        .bare()
        .answers::<ListBody<AttemptBody>>(&[]),
    operation("POST", "/deliveries/{id}/retry", Access::Scope(Scope::WebhooksManage), 202, "Send a delivery again")
        .may_take::<RetryDelivery>()
        .answers::<DeliverySummary>(&[WebhookDisabled, PayloadExpunged, RateLimited]),
    operation("POST", "/sources", Access::Scope(Scope::SourcesManage), 201, "Create a source")
        .takes::<SourceRequest>()
        .answers::<SourceBody>(&[IdempotencyConflict, AlreadyExists, UrlNotAllowed]),
    operation("GET", "/sources", Access::AnyOf(RECEIVERS), 200, "List sources")
        .query(PAGE)
        .bare()
        .answers::<ListBody<SourceBody>>(&[]),
    operation("GET", "/sources/{id}", Access::AnyOf(RECEIVERS), 200, "Get a source").bare().answers::<SourceBody>(&[]),
    operation("PUT", "/sources/{id}", Access::Scope(Scope::SourcesManage), 200, "Replace a source's settings")
        .takes::<SourceRequest>()
        .answers::<SourceBody>(&[AlreadyExists, ChangedMeanwhile, PreconditionFailed, UrlNotAllowed]),
    operation("DELETE", "/sources/{id}", Access::Scope(Scope::SourcesManage), 204, "Delete a source")
        .bare()
        .answers_nothing(&[]),
    operation("POST", "/sources/{id}/preview", Access::Scope(Scope::SourcesManage), 200, "Try an action on a receipt")
        .takes::<PreviewRequest>()
        .answers::<PreviewBody>(&[]),
    operation("POST", "/sources/{id}/fill", Access::Scope(Scope::SourcesManage), 202, "Ask a source's provider")
        .may_take::<FillRequest>()
        .answers::<FillBody>(&[]),
    operation("GET", "/receipts", Access::AnyOf(RECEIVERS), 200, "List receipts")
        .query(&[SOURCE_ID, RECEIPT_TYPE, LIMIT, CURSOR])
        .bare()
        .answers::<ListBody<ReceiptBody>>(&[]),
    operation("GET", "/receipts/{id}", Access::AnyOf(RECEIVERS), 200, "Get a receipt with what was done about it")
        .bare()
        .answers::<ReceiptBody>(&[]),
    operation(
        "POST",
        "/receipts/{id}/replay",
        Access::Scope(Scope::SourcesManage),
        202,
        "Do everything about it again",
    )
    .bare()
    .answers::<ReceiptReplayedBody>(&[IdempotencyConflict, ValidationFailed]),
    operation(
        "GET",
        "/records/{kind}",
        Access::AnyOf(RECEIVERS),
        200,
        "List records of a kind, in order of their keys",
    )
    .query(&[AFTER, LIMIT])
    .bare()
    .answers::<RecordListBody>(&[]),
    operation("GET", "/records/{kind}/{key}", Access::AnyOf(RECEIVERS), 200, "Get a record")
        .bare()
        .answers::<RecordBody>(&[]),
    operation("PUT", "/records/{kind}/{key}", Access::Scope(Scope::SourcesManage), 200, "Replace a record's data")
        .takes::<PutRecord>()
        .answers::<RecordBody>(&[ChangedMeanwhile]),
    operation("DELETE", "/records/{kind}/{key}", Access::Scope(Scope::SourcesManage), 204, "Delete a record")
        .bare()
        .answers_nothing(&[]),
    operation("GET", "/records/{kind}/{key}/history", Access::AnyOf(RECEIVERS), 200, "List a record's versions")
        .query(&[BELOW, LIMIT])
        .bare()
        .answers::<RecordHistoryBody>(&[]),
    operation("POST", "/commands", COMMANDS, 201, "Create a command")
        .takes::<CommandRequest>()
        .answers::<CommandBody>(&[IdempotencyConflict, AlreadyExists, LimitExceeded]),
    operation("GET", "/commands", COMMAND_READERS, 200, "List commands")
        .query(PAGE)
        .bare()
        .answers::<ListBody<CommandBody>>(&[]),
    operation("GET", "/commands/{name}", COMMAND_READERS, 200, "Get a command").bare().answers::<CommandBody>(&[]),
    operation("PUT", "/commands/{name}", COMMANDS, 200, "Replace a command's code")
        .takes::<UpdateCommand>()
        .answers::<CommandBody>(&[PreconditionFailed]),
    operation("DELETE", "/commands/{name}", COMMANDS, 204, "Delete a command").bare().answers_nothing(&[]),
    operation("POST", "/commands/{name}/run", COMMANDS, 200, "Run a command")
        .may_take::<RunRequest>()
        .answers::<RunBody>(&[]),
    operation("POST", "/hook-urls", COMMANDS, 200, "Make a URL that runs a command")
        .takes::<HookUrlRequest>()
        .answers::<HookUrlBody>(&[]),
    operation("GET", "/command-settings", COMMAND_READERS, 200, "Get how often hook URLs may be called")
        .bare()
        .answers::<CommandSettingsBody>(&[]),
    operation("PUT", "/command-settings", COMMANDS, 200, "Say how often hook URLs may be called")
        .takes::<CommandSettingsRequest>()
        .answers::<CommandSettingsBody>(&[PreconditionFailed]),
    operation("PUT", "/bot", COMMANDS, 200, "Import a bot: its old URLs run the project's commands")
        .takes::<ImportBot>()
        .answers::<BotBody>(&[AlreadyExists, PreconditionFailed]),
    operation("GET", "/bot", COMMAND_READERS, 200, "Get the bot that was imported").bare().answers::<BotBody>(&[]),
    operation("DELETE", "/bot", COMMANDS, 204, "Remove the bot: its old URLs are refused").bare().answers_nothing(&[]),
    operation("GET", "/runs", COMMAND_READERS, 200, "List runs")
        .query(&[COMMAND, RUN_STATUS, LIMIT, CURSOR])
        .bare()
        .answers::<ListBody<RunSummary>>(&[]),
    operation("GET", "/runs/{id}", COMMAND_READERS, 200, "Get a run with what it was given and wrote")
        .bare()
        .answers::<RunBody>(&[]),
    operation("POST", "/runs/{id}/rerun", COMMANDS, 200, "Run a command again with what it was given")
        .bare()
        .answers::<RunBody>(&[]),
    operation("POST", "/event-types", Access::Scope(Scope::Admin), 201, "Create an event type")
        .takes::<EventTypeRequest>()
        .answers::<EventTypeBody>(&[IdempotencyConflict, AlreadyExists, RateLimited, LimitExceeded]),
    operation(
        "POST",
        "/event-types/import",
        Access::Scope(Scope::Admin),
        200,
        "Import event types from an OpenAPI document",
    )
    .takes::<ImportEventTypes>()
    .answers::<ImportedEventTypesBody>(&[RateLimited]),
    operation("GET", "/event-types", Access::AnyKey, 200, "List event types")
        .bare()
        .answers::<ListBody<EventTypeBody>>(&[]),
    operation("GET", "/refused-types", Access::AnyOf(&[Scope::EventsWrite, Scope::Read]), 200, "List unknown types")
        .bare()
        .answers::<ListBody<RefusedTypeBody>>(&[]),
    operation("GET", "/event-types/{name}", Access::AnyKey, 200, "Get an event type")
        .bare()
        .answers::<EventTypeBody>(&[]),
    operation("PUT", "/event-types/{name}", Access::Scope(Scope::Admin), 200, "Replace an event type")
        .takes::<EventTypeRequest>()
        .answers::<EventTypeBody>(&[PreconditionFailed, RateLimited]),
    operation(
        "POST",
        "/event-types/{name}/versions/{version}/retire",
        Access::Scope(Scope::Admin),
        200,
        "Retire a version of a schema",
    )
    .bare()
    .answers::<EventTypeBody>(&[ValidationFailed]),
    operation("DELETE", "/event-types/{name}", Access::Scope(Scope::Admin), 204, "Delete an event type")
        .bare()
        .answers_nothing(&[]),
    operation("POST", "/organizations", Access::Operator, 201, "Create an organization")
        .takes::<CreateOrganization>()
        .answers::<OrganizationBody>(&[IdempotencyConflict]),
    operation("GET", "/organizations", Access::Operator, 200, "List organizations")
        .query(&[USAGE, LIMIT, CURSOR])
        .bare()
        .answers::<ListBody<OrganizationBody>>(&[]),
    operation("GET", "/organizations/{id}", Access::AnyKey, 200, "Get an organization")
        .bare()
        .answers::<OrganizationBody>(&[]),
    operation("PATCH", "/organizations/{id}", Access::Scope(Scope::Admin), 200, "Change an organization")
        .takes::<UpdateOrganization>()
        .answers::<OrganizationBody>(&[PreconditionFailed]),
    operation("DELETE", "/organizations/{id}", Access::Operator, 204, "Delete an organization")
        .bare()
        .answers_nothing(&[ValidationFailed]),
    operation("PUT", "/organizations/{id}/plan", Access::Operator, 200, "Give an organization another plan")
        .takes::<SetPlan>()
        .answers::<OrganizationBody>(&[]),
    operation(
        "GET",
        "/organizations/{id}/billing",
        Access::Scope(Scope::Admin),
        200,
        "Get how an organization stands with what it pays for",
    )
    .bare()
    .answers::<BillingBody>(&[]),
    operation(
        "GET",
        "/organizations/{id}/usage",
        Access::AnyKey,
        200,
        "Get how much an organization uses of what its plan allows",
    )
    .bare()
    .answers::<UsageBody>(&[]),
    operation("GET", "/plans", Access::AnyKey, 200, "List plans").bare().answers::<ListBody<PlanBody>>(&[]),
    operation("GET", "/presets", Access::AnyKey, 200, "List presets").bare().answers::<ListBody<PresetSummary>>(&[]),
    operation("GET", "/presets/{name}", Access::AnyKey, 200, "Get a preset with its catalogue")
        .bare()
        .answers::<PresetBody>(&[]),
    operation("POST", "/projects", Access::Scope(Scope::Admin), 201, "Create a project")
        .takes::<CreateProject>()
        .answers::<ProjectBody>(&[IdempotencyConflict, LimitExceeded]),
    operation("GET", "/projects", Access::AnyKey, 200, "List projects")
        .query(PAGE)
        .bare()
        .answers::<ListBody<ProjectBody>>(&[]),
    operation("GET", "/projects/{id}", Access::AnyKey, 200, "Get a project").bare().answers::<ProjectBody>(&[]),
    operation("PATCH", "/projects/{id}", Access::Scope(Scope::Admin), 200, "Rename a project")
        .takes::<UpdateProject>()
        .answers::<ProjectBody>(&[PreconditionFailed]),
    operation("POST", "/projects/{id}/rotate-hook-key", COMMANDS, 200, "Exchange the key of a project's hook URLs")
        .may_take::<RotateHookKey>()
        .answers::<RotatedHookKeyBody>(&[IdempotencyConflict, ChangedMeanwhile]),
    operation("DELETE", "/projects/{id}", Access::Scope(Scope::Admin), 204, "Delete a project")
        .bare()
        .answers_nothing(&[ValidationFailed]),
    operation("POST", "/api-keys", Access::Scope(Scope::Admin), 201, "Create an API key")
        .takes::<CreateApiKey>()
        .answers::<ApiKeyBody>(&[IdempotencyConflict]),
    operation("GET", "/api-keys", Access::Scope(Scope::Admin), 200, "List API keys")
        .query(&[OPERATOR, LIMIT, CURSOR])
        .bare()
        .answers::<ListBody<ApiKeyBody>>(&[]),
    operation("DELETE", "/api-keys/{id}", Access::Scope(Scope::Admin), 204, "Revoke an API key")
        .bare()
        .answers_nothing(&[]),
    operation("POST", "/members", Access::Scope(Scope::Admin), 201, "Invite somebody to be a member")
        .takes::<InviteMember>()
        .answers::<InviteBody>(&[IdempotencyConflict, LimitExceeded]),
    operation("GET", "/members", Access::Scope(Scope::Read), 200, "List members")
        .query(&[OPERATORS, LIMIT, CURSOR])
        .bare()
        .answers::<ListBody<MemberBody>>(&[]),
    operation("PATCH", "/members/{id}", Access::Scope(Scope::Admin), 200, "Give a member another role")
        .takes::<UpdateMember>()
        .answers::<MemberBody>(&[ChangedMeanwhile, LastOwner]),
    operation("DELETE", "/members/{id}", Access::Scope(Scope::Admin), 204, "Remove a member")
        .query(&[OPERATORS])
        .bare()
        .answers_nothing(&[ChangedMeanwhile, LastOwner]),
    operation("GET", "/invites", Access::Scope(Scope::Admin), 200, "List invites that are open")
        .query(&[OPERATORS])
        .bare()
        .answers::<ListBody<InviteBody>>(&[]),
    operation("DELETE", "/invites/{id}", Access::Scope(Scope::Admin), 204, "Withdraw an invite")
        .query(&[OPERATORS])
        .bare()
        .answers_nothing(&[]),
    operation("GET", "/portal", Access::Scope(Scope::WebhooksManage), 200, "Get how the portal looks")
        .bare()
        .answers::<PortalBody>(&[]),
    operation("PUT", "/portal", Access::Scope(Scope::WebhooksManage), 200, "Say how the portal looks")
        .takes::<PortalRequest>()
        .answers::<PortalBody>(&[ChangedMeanwhile, PreconditionFailed]),
    operation("POST", "/portal-sessions", Access::Scope(Scope::WebhooksManage), 201, "Make a link to the portal")
        .may_take::<CreatePortalSession>()
        .answers::<PortalSessionBody>(&[IdempotencyConflict, LimitExceeded]),
    operation("DELETE", "/portal-sessions/{id}", Access::Scope(Scope::WebhooksManage), 204, "End a link to the portal")
        .bare()
        .answers_nothing(&[]),
    operation("POST", "/start-links", Access::Operator, 201, "Make a link that makes an operator")
        .bare()
        .answers::<StartLinkBody>(&[IdempotencyConflict, LimitExceeded]),
    operation("GET", "/audit-log", Access::Scope(Scope::Admin), 200, "List what was done, by whom and from where")
        .query(&[ACTION, SINCE, UNTIL, LIMIT, CURSOR])
        .bare()
        .answers::<ListBody<AuditEntryBody>>(&[]),
    operation("GET", "/instance", Access::Operator, 200, "Get the instance's version and counts")
        .bare()
        .answers::<InstanceBody>(&[]),
    operation("POST", "/instance/resume", Access::Operator, 200, "Let an instance that was restored send")
        .bare()
        .answers::<InstanceBody>(&[]),
    operation("GET", "/instance/lanes", Access::Operator, 200, "Get how the lanes stand")
        .bare()
        .answers::<LanesBody>(&[]),
];

/// The operation with this method and path.
pub fn find(method: &str, path: &str) -> Option<&'static Operation> {
    // HEAD is GET without the body.
    let method = if method == "HEAD" { "GET" } else { method };
    OPERATIONS.iter().find(|operation| operation.method == method && operation.path == path)
}
