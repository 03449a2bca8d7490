//! Hashes by which ledgers recognise bytes.

/// SHA-256.
pub(crate) type Hash = [u8; 32];

/// Hashes bytes or text.
pub(crate) fn hash(bytes: impl AsRef<[u8]>) -> Hash {
    hmac_sha256::Hash::hash(bytes.as_ref())
}
