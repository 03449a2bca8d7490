//! The statements, one per file: what reads alike in all dialects of SQL lies beside this, the rest in each
//! back end under the same names.

pub use crate::statement::Statement;

macro_rules! statements {
    (everywhere { $($name:ident = $file:literal;)* } by_dialect { $($own:ident = $own_file:literal;)* }) => {
        $(#[doc = concat!("`", $file, ".sql`.")]
        pub const $name: Statement =
            Statement::everywhere($file, include_str!(concat!("../sql/", $file, ".sql")));)*
        $(#[doc = concat!("`", $own_file, ".sql`.")]
        pub const $own: Statement = Statement::by_dialect($own_file);)*

        /// All of them.
        pub const STATEMENTS: &[Statement] = &[$($name,)* $($own,)*];
    };
}

/// Texts that become statements once they are told of which table.
macro_rules! templates {
    ($($name:ident = $file:literal;)*) => {
        $(pub(crate) const $name: &str = include_str!(concat!("../sql/", $file, ".sql"));)*
    };
}

templates! {
    READ_TABLE = "read_table";
    READ_LEDGER = "read_ledger";
    WRITE_TABLE = "write_table";
    CLEAR_TABLE = "clear_table";
    HAS_ROWS = "has_rows";
}

/// Statements that only a process needs that has a database to itself; see [`Session::is_shared`](crate::Session).
macro_rules! alone {
    ($($name:ident = $file:literal;)*) => {
        $(#[doc = concat!("`", $file, ".sql`.")]
        pub const $name: Statement =
            Statement::everywhere($file, include_str!(concat!("../sql/", $file, ".sql")));)*

        /// All of them.
        pub const STATEMENTS_ALONE: &[Statement] = &[$($name),*];
    };
}

/// Statements that only a database with several processes has to know.
macro_rules! shared {
    ($($name:ident = $file:literal;)*) => {
        $(#[doc = concat!("`", $file, ".sql`.")]
        pub const $name: Statement = Statement::by_dialect($file);)*

        /// All of them.
        pub const SHARED_STATEMENTS: &[Statement] = &[$($name),*];
    };
}

/// What processes that share a database say to each other.
macro_rules! of_nodes {
    (everywhere { $($name:ident = $file:literal;)* } by_dialect { $($own:ident = $own_file:literal;)* }) => {
        $(#[doc = concat!("`nodes/", $file, ".sql`.")]
        pub const $name: Statement =
            Statement::everywhere($file, include_str!(concat!("../sql/nodes/", $file, ".sql")));)*
        $(#[doc = concat!("`nodes/", $own_file, ".sql`.")]
        pub const $own: Statement = Statement::by_dialect($own_file);)*

        /// All of them.
        pub const NODE_STATEMENTS: &[Statement] = &[$($name,)* $($own,)*];
    };
}

statements! {
    everywhere {
        FIND_EVENT_KEY = "find_event_key";
        REMEMBER_IDEMPOTENCY = "remember_idempotency";
        FIND_IDEMPOTENCY = "find_idempotency";
        EXPIRE_IDEMPOTENCY = "expire_idempotency";
        FINISH_DELIVERY = "finish_delivery";
        RECORD_ATTEMPT = "record_attempt";
        NOTE_WEBHOOK_STATE = "note_webhook_state";
        DISABLE_WEBHOOK = "disable_webhook";
        FIND_HEAD_TEMPLATE = "find_head_template";
        ADD_HEAD_TEMPLATE = "add_head_template";
        NEXT_DUE = "next_due";
        FIND_QUEUED = "find_queued";
        MAKE_DUE = "make_due";
        FIND_FINISHED = "find_finished";
        REOPEN_ATTEMPT = "reopen_attempt";
        FORGET_FINISHED = "forget_finished";
        FIND_CANCELLABLE = "find_cancellable";
        CANCEL_DELIVERY = "cancel_delivery";
        FORGET_QUEUED = "forget_queued";
        MARK_CANCELLED = "mark_cancelled";
        RESUME_CANCELLING = "resume_cancelling";
        CREATE_ORGANIZATION = "create_organization";
        FIND_ORGANIZATION = "find_organization";
        LIST_ORGANIZATIONS = "list_organizations";
        COUNT_ORGANIZATIONS = "count_organizations";
        UPDATE_ORGANIZATION = "update_organization";
        FIND_SCHEMA_MODE = "find_schema_mode";
        DELETE_ORGANIZATION = "delete_organization";
        CREATE_PROJECT = "create_project";
        FIND_PROJECT = "find_project";
        FIND_ANY_PROJECT = "find_any_project";
        CREATE_SOURCE = "create_source";
        CREATE_SOURCE_PROJECT = "create_source_project";
        FIND_SOURCE = "find_source";
        FIND_SOURCE_OF_LANE = "find_source_of_lane";
        FIND_SOURCE_BY_TOKEN = "find_source_by_token";
        FIND_SOURCE_BY_NAME = "find_source_by_name";
        FIND_SOURCE_NAMED = "find_source_named";
        ADD_SOURCE_ACTIONS = "add_source_actions";
        RENEW_RECEIPT = "renew_receipt";
        PROJECT_LIVES = "project_lives";
        LIST_SOURCES = "list_sources";
        COUNT_SOURCES = "count_sources";
        UPDATE_SOURCE = "update_source";
        DELETE_SOURCE = "delete_source";
        DELETE_PROJECT_SOURCES = "delete_project_sources";
        COUNT_TURNED_AWAY = "count_turned_away";
        START_GAP_FILL = "start_gap_fill";
        STOP_GAP_FILL = "stop_gap_fill";
        LIST_SOURCES_TO_FILL = "list_sources_to_fill";
        FIND_LAST_RECEIPT = "find_last_receipt";
        COUNT_TAKEN_IN = "count_taken_in";
        NOTE_FILL = "note_fill";
        FIND_RECEIPT = "find_receipt";
        FIND_ANY_RECEIPT = "find_any_receipt";
        COUNT_RECEIPTS = "count_receipts";
        FIND_RECORD = "find_record";
        LIST_RECORDS = "list_records";
        COUNT_RECORDS = "count_records";
        PUT_RECORD = "put_record";
        NOTE_RECORD_CHANGE = "note_record_change";
        FIND_RECORD_CHANGE = "find_record_change";
        LIST_RECORD_CHANGES = "list_record_changes";
        LIST_PROJECTS = "list_projects";
        COUNT_PROJECTS = "count_projects";
        RENAME_PROJECT = "rename_project";
        SET_HOOK_KEYS = "set_hook_keys";
        DELETE_PROJECT = "delete_project";
        REVOKE_PROJECT_KEYS = "revoke_project_keys";
        REVOKE_ORGANIZATION_KEYS = "revoke_organization_keys";
        PROJECTS_OF = "projects_of";
        DELETE_PROJECT_WEBHOOKS = "delete_project_webhooks";
        CREATE_API_KEY = "create_api_key";
        FIND_API_KEY = "find_api_key";
        LIST_API_KEYS = "list_api_keys";
        COUNT_API_KEYS = "count_api_keys";
        FIND_API_KEY_BY_ID = "find_api_key_by_id";
        REVOKE_API_KEY = "revoke_api_key";
        CREATE_EVENT_TYPE = "create_event_type";
        UPDATE_EVENT_TYPE = "update_event_type";
        DELETE_EVENT_TYPE = "delete_event_type";
        LIST_EVENT_TYPES = "list_event_types";
        FIND_EVENT_TYPE = "find_event_type";
        LIST_EVENT_TYPE_SCHEMAS = "list_event_type_schemas";
        RETIRE_EVENT_TYPE_SCHEMAS = "retire_event_type_schemas";
        FORGET_EVENT_TYPE_SCHEMAS = "forget_event_type_schemas";
        CREATE_WEBHOOK = "create_webhook";
        FIND_WEBHOOK = "find_webhook";
        LIST_WEBHOOKS = "list_webhooks";
        COUNT_WEBHOOKS = "count_webhooks";
        UPDATE_WEBHOOK = "update_webhook";
        PROJECT_OF_WEBHOOK = "project_of_webhook";
        RESET_WEBHOOK_STATE = "reset_webhook_state";
        DELETE_WEBHOOK = "delete_webhook";
        WEBHOOKS_TO_CANCEL = "webhooks_to_cancel";
        SNAPSHOT_WEBHOOKS = "snapshot_webhooks";
        FIND_EVENT = "find_event";
        COUNT_OF_EVENT = "count_of_event";
        FIND_DELIVERY = "find_delivery";
        FIND_ATTEMPTS = "find_attempts";
        WALK_DELIVERIES = "walk_deliveries";
        WALK_NOT_DELIVERED = "walk_not_delivered";
        WALK_WAITING = "walk_waiting";
        MATCHES_LEASED = "matches_leased";
        FINISHED_BETWEEN = "finished_between";
        QUEUED_BETWEEN = "queued_between";
        WALK_EVENTS = "walk_events";
        PROJECT_WEBHOOKS = "project_webhooks";
        WEBHOOK_STATUSES = "webhook_statuses";
        COUNT_HELD = "count_held";
        OLDEST_DUE_OF_WEBHOOK = "oldest_due_of_webhook";
        COUNT_PENDING = "count_pending";
        REMEMBER_ONCE = "remember_once";
        REMEMBER = "remember";
        FIND_REMEMBERED = "find_remembered";
        FORGET_REMEMBERED = "forget_remembered";
        FORGET_IDEMPOTENCY = "forget_idempotency";
        ORGANIZATION_OF = "organization_of";
        FANOUT_OF = "fanout_of";
        OWNS_WEBHOOK = "owns_webhook";
        PUT_HOUR = "put_hour";
        FIND_HOUR = "find_hour";
        LIST_HOURS = "list_hours";
        COUNT_WAITING = "count_waiting";
        IS_EXPUNGED = "is_expunged";
        COUNT_ENDED = "count_ended";
        COUNT_BORN = "count_born";
        AUDIT_LEDGER = "audit_ledger";
        OLDEST_DUE = "oldest_due";
        APPEND_AUDIT = "append_audit";
        LIST_AUDIT = "list_audit";
        LIST_AUDIT_OF_ORGANIZATION = "list_audit_of_organization";
        ADD_REPORT = "add_report";
        LIST_REPORTS = "list_reports";
        FORGET_REPORTS_BEFORE = "forget_reports_before";
        EXPIRE_HOURS = "expire_hours";
        EXPIRE_AUDIT = "expire_audit";
        COUNT_EVENT_TYPES = "count_event_types";
        FORGET_REPORT = "forget_report";
        CREATE_EVENT_TYPE_SCHEMA = "create_event_type_schema";
        FORGET_PLANS = "forget_plans";
        ADD_PLAN = "add_plan";
        UNKNOWN_PLANS = "unknown_plans";
        FIND_WEBHOOK_LIMIT = "find_webhook_limit";
        COUNT_ORGANIZATION_WEBHOOKS = "count_organization_webhooks";
        LIST_ORGANIZATION_WEBHOOKS = "list_organization_webhooks";
        ALL_ORGANIZATIONS = "all_organizations";
        FIND_BILLING_CUSTOMER = "find_billing_customer";
        PUT_BILLING_CUSTOMER = "put_billing_customer";
        NOTE_BILLING_PAYEE = "note_billing_payee";
        RECHECK_BILLING = "recheck_billing";
        LIST_BILLING_CUSTOMERS = "list_billing_customers";
        FIND_BILLING = "find_billing";
        PUT_BILLING = "put_billing";
        FORGET_BILLING = "forget_billing";
        NEXT_BILLING_REVIEW = "next_billing_review";
        SET_ORGANIZATION_PLAN = "set_organization_plan";
        DISABLE_OVER_LIMIT = "disable_over_limit";
        ENABLE_WITHIN_LIMIT = "enable_within_limit";
        CREATE_JOB = "create_job";
        FIND_JOB = "find_job";
        LIST_JOBS = "list_jobs";
        COUNT_JOBS = "count_jobs";
        RUNNING_JOBS = "running_jobs";
        END_JOB = "end_job";
        ENDED_AFTER = "ended_after";
        NOT_DELIVERED_AFTER = "not_delivered_after";
        COUNT_EVENTS = "count_events";
        HAD_DELIVERY = "had_delivery";
        NOTE_REPLAYED = "note_replayed";
        COUNT_DUE = "count_due";
        REPLAYED_OF_EVENT = "replayed_of_event";
        WALK_REPLAYED = "walk_replayed";
        FIND_EXPUNGED = "find_expunged";
        UNFINISHED_OF_EVENT = "unfinished_of_event";
        FORGET_SENT_OF_DELIVERIES = "forget_sent_of_deliveries";
        FORGET_SENT_OF_ATTEMPTS = "forget_sent_of_attempts";
        PUT_BOT = "put_bot";
        FIND_BOT = "find_bot";
        FIND_BOT_BY_ID = "find_bot_by_id";
        DELETE_BOT = "delete_bot";
        CREATE_COMMAND = "create_command";
        FIND_COMMAND = "find_command";
        LIST_COMMANDS = "list_commands";
        COUNT_COMMANDS = "count_commands";
        UPDATE_COMMAND = "update_command";
        DELETE_COMMAND = "delete_command";
        FIND_COMMAND_SETTINGS = "find_command_settings";
        PUT_COMMAND_SETTINGS = "put_command_settings";
        ORGANIZATION_OF_PROJECT = "organization_of_project";
        FIND_QUOTA = "find_quota";
        COUNT_ITERATION = "count_iteration";
        NOTE_USED_UP = "note_used_up";
        TAIL_OF_ORGANIZATION = "tail_of_organization";
        FIND_PROPERTY = "find_property";
        PUT_PROPERTY = "put_property";
        DELETE_PROPERTY = "delete_property";
        ADD_RUN = "add_run";
        HAS_RUN = "has_run";
        FIND_RUN = "find_run";
        LIST_RUNS = "list_runs";
        LIST_RUNS_OF_COMMAND = "list_runs_of_command";
        IS_RUN_PLACE_TAKEN = "is_run_place_taken";
        COUNT_USER_PROPERTIES = "count_user_properties";
        COUNT_PROPERTIES = "count_properties";
        NOTE_PROPERTIES = "note_properties";
        EXPIRE_RUNS = "expire_runs";
        NEXT_LEFTOVER = "next_leftover";
        FORGET_LEFTOVER = "forget_leftover";
        ADD_LEFTOVER = "add_leftover";
        EXPUNGE_RUN_TASKS = "expunge_run_tasks";
        EXPUNGE_PROPERTIES = "expunge_properties";
        EXPUNGE_RUNS = "expunge_runs";
        EXPUNGE_COMMANDS = "expunge_commands";
        EXPUNGE_DELETED_COMMANDS = "expunge_deleted_commands";
        EXPUNGE_COMMAND_SETTINGS = "expunge_command_settings";
        EXPUNGE_PROPERTY_COUNT = "expunge_property_count";
        EXPUNGE_RECORDS = "expunge_records";
        EXPUNGE_RECORD_CHANGES = "expunge_record_changes";
        EXPUNGE_PORTAL = "expunge_portal";
        EXPUNGE_PORTAL_SESSIONS = "expunge_portal_sessions";
        LIST_RUNS_OF_STATUS = "list_runs_of_status";
        LIST_RUNS_OF_COMMAND_AND_STATUS = "list_runs_of_command_and_status";
        COUNT_RUNS_OF_COMMAND = "count_runs_of_command";
        COUNT_RUNS_OF_STATUS = "count_runs_of_status";
        COUNT_RUNS_OF_COMMAND_AND_STATUS = "count_runs_of_command_and_status";
        COUNT_RUNS = "count_runs";
        ADD_RUN_TASK = "add_run_task";
        COUNT_RUN_TASKS = "count_run_tasks";
        CLEAR_RUN_TASKS = "clear_run_tasks";
        FORGET_RUN_TASK = "forget_run_task";
        HAS_RUN_TASK = "has_run_task";
        HAS_RUN_OF_DELIVERY = "has_run_of_delivery";
        FIND_RUN_OF_DELIVERY = "find_run_of_delivery";
        NEXT_SCHEDULED_COMMAND = "next_scheduled_command";
        NOTE_NEXT_RUN = "note_next_run";
        RUNS_BEFORE_EVENT = "runs_before_event";
        COUNT_SCHEDULED_TASKS = "count_scheduled_tasks";
        COUNT_INVITES = "count_invites";
        COUNT_MEMBERS = "count_members";
        COUNT_MEMBERSHIPS = "count_memberships";
        COUNT_OPERATORS = "count_operators";
        CREATE_ACCOUNT = "create_account";
        CREATE_INVITE = "create_invite";
        END_SESSION = "end_session";
        END_SESSIONS = "end_sessions";
        EXPIRE_IDLE_SESSIONS = "expire_idle_sessions";
        EXPIRE_INVITES = "expire_invites";
        EXPIRE_SESSIONS = "expire_sessions";
        FIND_ACCOUNT = "find_account";
        FIND_ACCOUNT_BY_ID = "find_account_by_id";
        FIND_ACCOUNT_OF_IDENTITY = "find_account_of_identity";
        FIND_INVITE = "find_invite";
        FIND_MEMBER = "find_member";
        FIND_OPERATOR = "find_operator";
        FIND_SESSION = "find_session";
        FORGET_ACCOUNT = "forget_account";
        FORGET_IDENTITIES = "forget_identities";
        FORGET_ORGANIZATION_INVITES = "forget_organization_invites";
        FORGET_ORGANIZATION_MEMBERS = "forget_organization_members";
        FORGET_INVITES_OF = "forget_invites_of";
        HAS_ACCOUNTS = "has_accounts";
        HAS_OTHER_MEMBER_OF_ROLE = "has_other_member_of_role";
        HAS_OTHER_OPERATOR = "has_other_operator";
        LINK_IDENTITY = "link_identity";
        LIST_INVITES = "list_invites";
        LIST_MEMBERS = "list_members";
        LIST_MEMBERSHIPS = "list_memberships";
        LIST_OPERATORS = "list_operators";
        LIST_SESSIONS = "list_sessions";
        MEMBERS_OF = "members_of";
        NOTE_SESSION = "note_session";
        REMOVE_MEMBER = "remove_member";
        SET_OPERATOR = "set_operator";
        SET_PASSWORD = "set_password";
        SET_ROLE = "set_role";
        START_SESSION = "start_session";
        TRIM_SESSIONS = "trim_sessions";
        USE_INVITE = "use_invite";
        WITHDRAW_INVITE = "withdraw_invite";
        PUT_PORTAL = "put_portal";
        FIND_PORTAL = "find_portal";
        FIND_PORTAL_LOGO = "find_portal_logo";
        COUNT_PORTAL_SESSIONS = "count_portal_sessions";
        CREATE_PORTAL_SESSION = "create_portal_session";
        FIND_PORTAL_SESSION = "find_portal_session";
        FIND_PORTAL_SESSION_BY_ID = "find_portal_session_by_id";
        END_PORTAL_SESSION = "end_portal_session";
        EXPIRE_PORTAL_SESSIONS = "expire_portal_sessions";
        ASK_FILL = "ask_fill";
        PUT_MEMBER = "put_member";
        STEP_JOB = "step_job";
        RELEASE_LEASE = "release_lease";
        FINISH_LEASE = "finish_lease";
        SCHEDULE_RETRY = "schedule_retry";
        LIST_BACKLOG = "list_backlog";
        REOPEN_DELIVERY = "reopen_delivery";
        FIND_CUSTOM_ID = "find_custom_id";
        APPEND_EVENT = "append_event";
        APPEND_RECEIPT = "append_receipt";
        KNOWS_RECEIPT = "knows_receipt";
        SEARCH_WEBHOOKS = "search_webhooks";
        RUNS_GIVEN = "runs_given";
        FORGET_GIVEN_TO_RUN = "forget_given_to_run";
        NOTE_CUSTOM_ID = "note_custom_id";
        NOTE_PROVIDER_ID = "note_provider_id";
        EXPIRED_EVENTS = "expired_events";
        EXPIRED_EVENTS_OF_PROJECT = "expired_events_of_project";
        FORGET_ATTEMPTS_OF_EVENT = "forget_attempts_of_event";
        FORGET_DELIVERIES_OF_EVENT = "forget_deliveries_of_event";
        FIRST_DELIVERY_OF_EVENT = "first_delivery_of_event";
        FORGET_ATTEMPTS_OF_REPLAYS = "forget_attempts_of_replays";
        FORGET_REPLAYS = "forget_replays";
        FORGET_REPLAYED = "forget_replayed";
        FORGET_CUSTOM_ID = "forget_custom_id";
        FORGET_RECEIPT = "forget_receipt";
        FORGET_EVENT = "forget_event";
        EXPIRE_PROVIDER_IDS = "expire_provider_ids";
        KEPT_BY_PLANS = "kept_by_plans";
    } by_dialect {
        APPEND_DELIVERY = "append_delivery";
        CLAIM_DUE = "claim_due";
        CLAIM_ONE = "claim_one";
        LEASE = "lease";
        LIST_RECEIPTS = "list_receipts";
        LIST_RECEIPTS_OF_SOURCE = "list_receipts_of_source";
        LIST_EVENTS = "list_events";
        BUSIEST_LANES = "busiest_lanes";
        USAGE_OF_ORGANIZATIONS = "usage_of_organizations";
        LAST_SEQUENCE = "last_sequence";
        COUNT_RUNNING_JOBS = "count_running_jobs";
        EVENTS_AFTER = "events_after";
        EXPUNGE_EVENT = "expunge_event";
        NEXT_RUN_TASKS = "next_run_tasks";
        QUEUED_WEBHOOKS = "queued_webhooks";
    }
}

alone! {
    FREE_LEASES = "free_leases";
    SHIFT_DUE = "shift_due";
    SHIFT_RUN_TASKS = "shift_run_tasks";
}

shared! {
    FIND_VERSION = "find_version";
    FIND_VERSIONS = "find_versions";
    RAISE_PROJECT_VERSION = "raise_project_version";
    RAISE_CATALOGUE_VERSION = "raise_catalogue_version";
    DELETED_AMONG = "deleted_among";
    HOLD_HOURS = "hold_hours";
    LEASED_OF_WEBHOOK = "leased_of_webhook";
    COUNT_LEASED = "count_leased";
}

of_nodes! {
    everywhere {
        BEGIN_TURN = "begin_turn";
        DEAF = "deaf";
        FORGET_CHANGES = "forget_changes";
        FORGET_LEDGER = "forget_ledger";
        FORGET_LISTENERS = "forget_listeners";
        FORGET_NEWS = "forget_news";
        FORGET_TURNS = "forget_turns";
        FORSAKE_LEASE = "forsake_lease";
        FREE_LEASES_OF = "free_leases_of";
        HAS_LATER_TURN = "has_later_turn";
        HEAR = "hear";
        HOLDS_TURN = "holds_turn";
        INHERIT_LEDGER = "inherit_ledger";
        LEAD = "lead";
        LEAVE_PLACE = "leave_place";
        LEAVE_TURN = "leave_turn";
        LEAVE_TURNS_OF = "leave_turns_of";
        LISTEN = "listen";
        LIST_LISTENED = "list_listened";
        LIST_NODES = "list_nodes";
        LOOK = "look";
        RAISE_CHANGES = "raise_changes";
        RENEW_TURN = "renew_turn";
        RESIGN = "resign";
        STAY = "stay";
        SUPERSEDE_TURNS = "supersede_turns";
        TAKE_NEWS = "take_news";
        TAKE_PLACE = "take_place";
        TELL_CHANGE = "tell_change";
        TELL_NEWS = "tell_news";
    } by_dialect {
        BURY = "bury";
        WANT_TURN = "want_turn";
    }
}
