//! Passwords are hashed where nothing waits for it, a few at a time.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use tidings_domain::account::{PASSWORD_BYTES, Password};
use tokio::sync::Semaphore;

use super::AccountError;

/// What one computation costs: OWASP's first choice for argon2id (Password Storage Cheat Sheet): 19 MiB, two passes,
/// one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Computations at the same time: each holds a core and 19 MiB, and deliveries need both more.
const AT_ONCE: usize = 2;
/// Computations that may wait: what takes longer than about two seconds is better tried again.
const WAITING_MAX: usize = 32;
/// Bytes of salt, as RFC 9106 recommends.
pub(super) const SALT_BYTES: usize = 16;
/// The hash of 32 random bytes that nobody kept: what is verified where there is no account, so that it takes as long.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$kiw2y9Fwuf9LaevQek15zg$66lQKl9xuVaiSy+v8xQxlYOLM6Mr9HfgnvE5L1sPO/E";

/// Computes hashes.
pub(super) struct Passwords {
    /// For computing.
    slots: Arc<Semaphore>,
    /// For computing or waiting.
    places: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { slots: Arc::new(Semaphore::new(AT_ONCE)), places: Arc::new(Semaphore::new(AT_ONCE + WAITING_MAX)) }
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the parameters are constants");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

impl Passwords {
    async fn compute<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, AccountError> {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { return Err(AccountError::Busy) };
        let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(|_| AccountError::Busy)?;
        let done = tokio::task::spawn_blocking(move || {
            // Held by the computation, which goes on when whoever asked for it has gone.
            let _held = (place, slot);
            work()
        });
        done.await.map_err(|error| {
            tracing::error!(error = %error, "a password could not be computed");
            AccountError::Busy
        })
    }

    /// What is stored of a password, in PHC's form.
    pub(super) async fn hash(&self, password: Password, salt: [u8; SALT_BYTES]) -> Result<String, AccountError> {
        self.compute(move || {
            let hash: PasswordHash = argon2()
                .hash_password_with_salt(password.expose().as_bytes(), &salt)
                .expect("any password up to 4 GiB has a hash");
            hash.to_string()
        })
        .await
    }

    /// Whether a password is the one of this hash. Without one it takes as long, and never is.
    pub(super) async fn verify(&self, given: &str, stored: Option<String>) -> Result<bool, AccountError> {
        // Nobody has such a password, and hashing it would take longer.
        let given = zeroize::Zeroizing::new(if given.len() > *PASSWORD_BYTES.end() { "" } else { given }.to_owned());
        self.compute(move || {
            let (text, is_known) = stored.as_deref().map_or((NOBODY, false), |text| (text, true));
            let matches =
                PasswordHash::new(text).is_ok_and(|hash| argon2().verify_password(given.as_bytes(), &hash).is_ok());
            matches && is_known
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidings_domain::account::Email;

    fn password(text: &str) -> Password {
        let email = Email::parse("mia@example.com").expect("an address");
        Password::parse(text, &email).expect("a password")
    }

    #[tokio::test]
    async fn a_hash_is_of_one_password_and_says_what_it_cost() {
        let passwords = Passwords::default();
        let hash = passwords.hash(password("correct horse"), [7; SALT_BYTES]).await.expect("computed");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_eq!(passwords.verify("correct horse", Some(hash.clone())).await, Ok(true));
        for wrong in ["correct horse ", "Correct horse", "", &"x".repeat(4096)] {
            assert_eq!(passwords.verify(wrong, Some(hash.clone())).await, Ok(false), "{wrong:?}");
        }
        assert_eq!(passwords.verify("correct horse", None).await, Ok(false));
        let other = passwords.hash(password("correct horse"), [8; SALT_BYTES]).await.expect("computed");
        assert_ne!(hash, other, "salted");
    }

    #[test]
    fn nobody_costs_as_much_as_somebody() {
        let hash = PasswordHash::new(NOBODY).expect("a hash");
        let params = Params::try_from(&hash).expect("parameters");
        assert_eq!((params.m_cost(), params.t_cost(), params.p_cost()), (MEMORY_KIB, PASSES, LANES));
        assert_eq!(hash.algorithm.as_str(), "argon2id");
    }

    #[tokio::test]
    async fn so_many_wait_and_no_more() {
        let passwords = Passwords::default();
        let _all = Arc::clone(&passwords.places).acquire_many_owned(34).await.expect("free");
        assert_eq!(passwords.verify("correct horse", None).await, Err(AccountError::Busy));
    }
}
