//! People: who is a member, who is an operator, and one's own account.

mod account;
mod invites;
mod members;
mod whose;

pub(crate) use account::{account, end_others, end_session, password};
pub(crate) use invites::{invite, withdraw, withdraw_question};
pub(crate) use members::{change, change_form, members, remove, remove_question};
