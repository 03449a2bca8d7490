//! Whose turn it is to run a command that does not run beside itself, where any process may be asked to. In transactions
//! of which none sees half of another one.

use tidings_ports::store::{Turn, TurnTaken};

use crate::{
    database::{Connection, Result},
    sql::{BEGIN_TURN, FORGET_TURNS, HAS_LATER_TURN, HOLDS_TURN, LEAVE_TURN, RENEW_TURN, SUPERSEDE_TURNS, WANT_TURN},
};

/// For how long a turn that is waited for stands without being asked for again, in milliseconds.
const WAITS_MS: i64 = 10_000;
/// For how long one stands that was taken: longer than any run and what it may wait for itself.
const RUNS_MS: i64 = 120_000;

pub(crate) fn take(connection: &Connection<'_>, turn: Turn, is_new: bool) -> Result<TurnTaken> {
    let (command, ticket) = (turn.command_id.sequence(), turn.ticket);
    connection.statement(FORGET_TURNS).execute([command])?;
    let ask = connection.statement(if is_new { WANT_TURN } else { RENEW_TURN });
    if ask.execute([command, ticket, WAITS_MS])? == 0 {
        return Ok(TurnTaken::Gone);
    }
    if turn.supersedes {
        // It may have waited in its own process's line while others were asked.
        if connection.statement(HAS_LATER_TURN).exists([command, ticket])? {
            leave(connection, turn)?;
            return Ok(TurnTaken::Gone);
        }
        supersede(connection, turn)?;
    }
    let begun = connection.statement(BEGIN_TURN).execute([command, ticket, RUNS_MS])?;
    Ok(if begun == 1 { TurnTaken::Mine } else { TurnTaken::Waits })
}

pub(crate) fn supersede(connection: &Connection<'_>, turn: Turn) -> Result<()> {
    connection.statement(SUPERSEDE_TURNS).execute([turn.command_id.sequence(), turn.ticket]).map(drop)
}

/// Whether a run still has its turn. A process that stood still may have lost it.
pub(crate) fn holds(connection: &Connection<'_>, turn: Turn) -> Result<bool> {
    connection.statement(HOLDS_TURN).exists([turn.command_id.sequence(), turn.ticket])
}

pub(crate) fn leave(connection: &Connection<'_>, turn: Turn) -> Result<()> {
    connection.statement(LEAVE_TURN).execute([turn.command_id.sequence(), turn.ticket]).map(drop)
}
