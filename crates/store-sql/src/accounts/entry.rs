//! Whoever a provider of identities vouches for.

use tidings_domain::account::Account;
use tidings_ports::store::{Entered, Entry, Seat};

use super::{account, member, session};
use crate::{
    database::{Result, params},
    session::Session,
    sql,
};

pub(super) fn enter(session: &Session<'_>, entry: &Entry) -> Result<Entered> {
    let entered = find_or_make(session, entry)?;
    if let Entered::Known(account) | Entered::Linked(account) | Entered::Made(account) = &entered {
        session::start(session, &entry.session, account.id)?;
    }
    Ok(entered)
}

fn find_or_make(session: &Session<'_>, entry: &Entry) -> Result<Entered> {
    let connection = session.connection;
    if let Some(known) = account::find_by_identity(connection, &entry.issuer, &entry.subject)? {
        return Ok(Entered::Known(known.account));
    }
    let link = |account: &Account| {
        let row = params![entry.issuer, entry.subject, account.id.sequence()];
        connection.statement(sql::LINK_IDENTITY).execute(row)
    };
    if let Some(known) = account::find(connection, &entry.account.email)? {
        link(&known.account)?;
        // Whoever was invited under this address chose the password, and need not be whom the provider knows by it.
        account::put_password(session, known.account.id, None)?;
        session::end_all(session, known.account.id.sequence(), None)?;
        return Ok(Entered::Linked(known.account));
    }
    let Some((organization_id, role)) = entry.newcomer else { return Ok(Entered::Unknown) };
    account::create(session, &entry.account, None)?;
    if !member::seat(session, Seat::Member { organization_id, role }, entry.account.id)? {
        account::forget_if_nowhere(session, entry.account.id.sequence())?;
        return Ok(Entered::Unknown);
    }
    link(&entry.account)?;
    Ok(Entered::Made(entry.account.clone()))
}
