//! The parts that pages are put together from; `/dev/components` shows them all.

mod chart;
mod code;
mod confirm;
mod copy;
mod field;
mod hex;
mod icon;
mod list;
mod may;
mod state;
mod time;
mod visible;

pub(crate) use chart::{Bar, Line, bars, lines, spark};
pub(crate) use code::{block, command_line, json, json_pretty, text_block};
pub(crate) use confirm::{Confirm, confirm, once, once_or};
pub(crate) use copy::{copy_box, copy_id, copy_value};
pub(crate) use field::{Fields, field, hidden, summary, switch};
pub(crate) use hex::hex_block;
pub(crate) use icon::{icon, icon_of, sprite};
pub(crate) use list::{empty_line, notice, pager, segments, table_head, teach, total_words, with_parameter};
pub(crate) use may::{LOOKS_ONLY, RUNS_NO_COMMAND, button_link, plain_link, submit, who_may};
pub(crate) use state::{
    badge, badge_of, chip, disabled_words, outcome_chip, outcome_word, type_chip, types, webhook_state,
};
pub(crate) use time::{ago, duration, exact, moment, number, precise, time_field, typed_time, until};
pub(crate) use visible::{visible, visible_page};
