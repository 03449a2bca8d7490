//! The ids, times and names that examples share, so that they tell one story.

/// An organization.
pub const ORGANIZATION: &str = "org_01ls2bhxf0f008g59tdx9fdd1r";
/// Its project.
pub const PROJECT: &str = "prj_01ls2bhxf0f008pa4s70l9w39q";
/// Its key.
pub const API_KEY: &str = "key_01ls2bhxf0f0090rq3ztla792h";
/// A webhook.
pub const WEBHOOK: &str = "wh_01ls2bhxf0f009x4gr8498pbsl";
/// An event.
pub const EVENT: &str = "evt_01lsg97f9af0081h67824kz41b";
/// Its delivery.
pub const DELIVERY: &str = "dlv_01lsg97f9af008saccr9fsvkgr";
/// A job.
pub const JOB: &str = "job_01lsg97f9af008t7bqq2d0x4wc";
/// A source.
pub const SOURCE: &str = "src_01ls2bhxf0f009x4gr8498pbsl";
/// What came in through it.
pub const RECEIPT: &str = "rcp_01lsg97f9af0081h67824kz41b";
/// Somebody who can sign in.
pub const ACCOUNT: &str = "usr_01ls2bhxf0f009x4gr8498pbsl";
/// An invite.
pub const INVITE: &str = "inv_01ls2bhxf0f009x4gr8498pbsl";
/// A command.
pub const COMMAND: &str = "cmd_01ls2bhxf0f009x4gr8498pbsl";
/// One of its runs.
pub const RUN: &str = "run_01lsg97f9af0081h67824kz41b";
/// When the webhook was made.
pub const CREATED: &str = "2026-05-20T09:30:00.000Z";
/// When the event was accepted.
pub const ACCEPTED: &str = "2026-05-25T10:00:00.042Z";
/// When it was delivered.
pub const DELIVERED: &str = "2026-05-25T10:00:00.061Z";
/// The event's type.
pub const TYPE: &str = "tag.subscribed";
