//! How many wrong passwords are looked at. Limits slow down, they shut nobody out: each is a pace at which the next
//! one is looked at, and a right password gives its place back.

use std::{collections::hash_map::RandomState, hash::BuildHasher as _, net::IpAddr};

use tidings_domain::{account::Email, command::settings::caller_of, time::Timestamp};

use super::AccountError;
use crate::pace::{Counted, Pace};

/// Wrong passwords per minute from one address, for whichever accounts: an office behind one address makes fewer.
const ADDRESS_PER_MINUTE: u32 = 30;
/// … from one address for one account: five tries at once, then one each twelve seconds.
const PAIR_PER_MINUTE: u32 = 5;
/// … for one account from all addresses that it was never signed in from: a net of machines guesses no faster than
/// this, and whoever signs in where they did before is not kept waiting by it.
const ACCOUNT_PER_MINUTE: u32 = 60;

/// … for one account from whoever is known already, each kind by itself: strangers cannot use it up.
const KNOWN_PER_MINUTE: u32 = 5;

/// What somebody has shown before the password is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Known {
    /// A session of the account.
    Session,
    /// The link of an invite for it.
    Invite,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Address(IpAddr),
    Pair(IpAddr, u64),
    Account(u64),
    Known(Known, u64),
}

impl Counted for Key {
    /// Anybody can make up addresses of mail, and pairs of them; an own address is harder to come by, and a session.
    fn is_cheap(&self) -> bool {
        matches!(self, Self::Pair(..) | Self::Account(_))
    }
}

/// The limits of all accounts.
#[derive(Debug, Default)]
pub(super) struct SignInLimits {
    wrong: Pace<Key>,
    hashing: RandomState,
}

/// Places that were taken for one password, to be given back if it is right.
#[derive(Debug)]
pub(super) struct Taken(Vec<(Key, u32)>);

impl SignInLimits {
    /// Takes places for a password that is to be looked at. `knows`: the account was signed in from there before.
    pub(super) fn take(
        &self,
        email: &Email,
        address: IpAddr,
        knows: bool,
        now: Timestamp,
    ) -> Result<Taken, AccountError> {
        let (address, account) = (caller_of(address), self.hashing.hash_one(email));
        let mut wanted =
            vec![(Key::Address(address), ADDRESS_PER_MINUTE), (Key::Pair(address, account), PAIR_PER_MINUTE)];
        if !knows {
            wanted.push((Key::Account(account), ACCOUNT_PER_MINUTE));
        }
        let mut taken = Taken(Vec::with_capacity(wanted.len()));
        for (key, per_minute) in wanted {
            if let Err(retry_after_s) = self.wrong.take(key, per_minute, now) {
                // Whoever is turned away has used up nothing.
                self.give_back(taken);
                return Err(AccountError::TooMany { retry_after_s });
            }
            taken.0.push((key, per_minute));
        }
        Ok(taken)
    }

    /// The same for whoever is known: behind a proxy strangers have the same address, and are not to stand in the way.
    pub(super) fn take_known(&self, email: &Email, known: Known, now: Timestamp) -> Result<Taken, AccountError> {
        let key = Key::Known(known, self.hashing.hash_one(email));
        let taken = self.wrong.take(key, KNOWN_PER_MINUTE, now);
        taken.map_err(|retry_after_s| AccountError::TooMany { retry_after_s })?;
        Ok(Taken(vec![(key, KNOWN_PER_MINUTE)]))
    }

    /// The password was right.
    pub(super) fn give_back(&self, taken: Taken) {
        for (key, per_minute) in taken.0 {
            self.wrong.give_back(&key, per_minute);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(text: &str) -> Email {
        Email::parse(text).expect("an address")
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_767_225_600_000 + seconds * 1000)
    }

    fn address(number: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(0x0a00_0000 + number).into()
    }

    #[test]
    fn an_address_guesses_five_times_and_then_slowly() {
        let (limits, mia, bob) = (SignInLimits::default(), email("mia@example.com"), email("bob@example.com"));
        let take = |email: &Email, from, now| limits.take(email, address(from), false, at(now)).map(drop);
        for _ in 0..5 {
            assert_eq!(take(&mia, 1, 0), Ok(()));
        }
        assert_eq!(take(&mia, 1, 0), Err(AccountError::TooMany { retry_after_s: 12 }));
        assert_eq!(take(&mia, 2, 0), Ok(()), "from elsewhere she signs in");
        assert_eq!(take(&bob, 1, 0), Ok(()), "and others do from there");
        assert_eq!(take(&mia, 1, 12), Ok(()), "nobody is shut out for ever");
        for _ in 0..30 {
            let right = limits.take(&bob, address(1), false, at(100)).expect("has a place");
            limits.give_back(right);
        }
    }

    #[test]
    fn an_address_guesses_no_faster_by_guessing_at_many() {
        let limits = SignInLimits::default();
        let take =
            |number: u32| limits.take(&email(&format!("{number}@example.com")), address(1), false, at(0)).map(drop);
        for number in 0..ADDRESS_PER_MINUTE {
            assert_eq!(take(number), Ok(()));
        }
        assert_eq!(take(1_000), Err(AccountError::TooMany { retry_after_s: 2 }));
    }

    #[test]
    fn many_addresses_guess_no_faster_and_keep_nobody_out_who_was_there_before() {
        let (limits, mia) = (SignInLimits::default(), email("mia@example.com"));
        for number in 0..ACCOUNT_PER_MINUTE {
            assert!(limits.take(&mia, address(number), false, at(0)).is_ok());
        }
        let new = limits.take(&mia, address(9_000), false, at(0)).map(drop);
        assert_eq!(new, Err(AccountError::TooMany { retry_after_s: 1 }));
        assert!(limits.take(&mia, address(9_000), true, at(0)).is_ok());
    }
}
