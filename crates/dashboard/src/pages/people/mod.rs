//! People: who is a member, who is an operator, and one's own account.

mod account;
mod members;

pub(crate) use account::{account, end_others, end_session, password};
pub(crate) use members::{change, change_form, invite, members, remove, remove_question, withdraw, withdraw_question};
