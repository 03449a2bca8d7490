//! Why somebody is not let in.

use tidings_contract::problem::FieldError;
use tidings_ports::store::StoreError;

/// Why it was not done; by what whoever asked can do about it. The texts are for them.
#[derive(Debug, Clone, PartialEq)]
pub enum AccountError {
    /// The address is not known, or the password is not its own; nobody is told which.
    WrongCredentials,
    /// Too many wrong passwords lately.
    TooMany {
        /// In how many seconds the next one is looked at.
        retry_after_s: u64,
    },
    /// Too many passwords are being looked at, by whomever.
    Busy,
    /// Something that was typed is wrong.
    Fields(Vec<FieldError>),
    /// The link was used, withdrawn, replaced or is too old.
    LinkGone,
    /// The link is for another account than the one that is signed in, or has an account by now.
    OtherAccount,
    /// The organization has as many members, or the account as many places, as it may.
    Full,
    /// Nobody can be signed in at the moment.
    Store(StoreError),
}

impl AccountError {
    pub(super) fn field(field: &str, message: impl ToString) -> Self {
        Self::Fields(vec![crate::error::field_error(field, "invalid", message.to_string())])
    }

    /// The HTTP status that a page with it has.
    pub fn status(&self) -> u16 {
        match self {
            Self::WrongCredentials => 401,
            Self::TooMany { .. } | Self::Busy => 429,
            Self::Fields(_) => 422,
            Self::LinkGone => 404,
            Self::OtherAccount | Self::Full => 409,
            Self::Store(_) => 503,
        }
    }

    /// After how many seconds it may be tried again, if time helps.
    pub fn retry_after_s(&self) -> Option<u64> {
        match self {
            Self::TooMany { retry_after_s } => Some(*retry_after_s),
            Self::Busy | Self::Store(_) => Some(1),
            _ => None,
        }
    }
}

impl std::fmt::Display for AccountError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::WrongCredentials => f.write_str("the email address or the password is wrong"),
            Self::TooMany { retry_after_s } => {
                write!(f, "too many wrong passwords: the next one is looked at in {retry_after_s} s")
            }
            Self::Busy => f.write_str("too many people are signing in at this moment: try again in a second"),
            Self::Fields(errors) => match errors.as_slice() {
                [one] => write!(f, "{}: {}", one.field, one.message),
                many => write!(f, "{} fields are wrong", many.len()),
            },
            Self::LinkGone => {
                f.write_str("the link is no longer good: it was used, withdrawn or is too old; ask for a new one")
            }
            Self::OtherAccount => f.write_str(
                "the link is for somebody else: sign in with the account of the address that it was made for",
            ),
            Self::Full => f.write_str("there is no room for another member; remove somebody first"),
            Self::Store(_) => f.write_str("nobody can be signed in at the moment: try again in a moment"),
        }
    }
}

impl std::error::Error for AccountError {}

impl From<StoreError> for AccountError {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = %error, "the store did not answer about accounts");
        Self::Store(error)
    }
}
