//! Secrets at rest: AES-256-GCM under a key derived from the instance's master key (INV-SECRET).

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

/// Random bytes that sealing one secret needs.
pub const SEAL_NONCE_BYTES: usize = NONCE_LEN;
/// The layout of sealed bytes: this byte, the nonce, the ciphertext with its tag.
const SEAL_VERSION: u8 = 1;

/// The instance's master key: 32 bytes.
pub struct MasterKey {
    sealing: LessSafeKey,
    /// What keys for other uses are derived from.
    root: hkdf::Prk,
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// Why a master key could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a master key is 32 bytes in base64 or 64 hexadecimal characters; `openssl rand -base64 32` makes one")]
pub struct InvalidMasterKey;

/// Sealed bytes that do not open: another master key, another owner, or damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stored secret does not open with this master key: start with the key it was sealed with")]
pub struct Unsealable;

impl MasterKey {
    /// From 32 bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"tidings").extract(bytes);
        // Each use gets a key of its own, so that one ciphertext can never stand for another kind.
        let sealing = expand(&root, &[b"secrets at rest"]);
        let unbound = UnboundKey::new(&AES_256_GCM, key_bytes(&sealing)).expect("the key has 32 bytes");
        Self { sealing: LessSafeKey::new(unbound), root }
    }

    /// A key for one use and one owner; it is the same every time, and tells nothing about any other.
    pub fn derive(&self, purpose: &str, owner: &str, version: u32) -> Zeroizing<[u8; 32]> {
        // The lengths stand before the texts, so that no two uses have the same input.
        let lengths = [purpose.len(), owner.len()].map(|length| (length as u64).to_be_bytes());
        let version = version.to_be_bytes();
        expand(&self.root, &[b"derived", &lengths[0], purpose.as_bytes(), &lengths[1], owner.as_bytes(), &version])
    }

    /// From base 64 or hexadecimal text.
    pub fn parse(text: &str) -> Result<Self, InvalidMasterKey> {
        let text = text.trim();
        let bytes = Zeroizing::new(match text.len() {
            64 => from_hex(text).ok_or(InvalidMasterKey)?,
            _ => STANDARD.decode(text).map_err(|_| InvalidMasterKey)?,
        });
        let bytes: &[u8; 32] = bytes.as_slice().try_into().map_err(|_| InvalidMasterKey)?;
        Ok(Self::from_bytes(bytes))
    }

    /// Seals `plain` for `owner` (the id of the row it is stored in) with a fresh random nonce.
    pub fn seal(&self, owner: &str, plain: &[u8], nonce: [u8; SEAL_NONCE_BYTES]) -> Vec<u8> {
        let mut ciphertext = plain.to_vec();
        self.sealing
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(owner), &mut ciphertext)
            .expect("secrets are far shorter than what AES-GCM takes");
        let mut sealed = Vec::with_capacity(1 + SEAL_NONCE_BYTES + ciphertext.len());
        sealed.push(SEAL_VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        sealed
    }

    /// Opens what [`MasterKey::seal`] made for the same owner.
    pub fn open(&self, owner: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unsealable> {
        let rest = sealed.strip_prefix(&[SEAL_VERSION]).ok_or(Unsealable)?;
        let (nonce, ciphertext) = rest.split_at_checked(SEAL_NONCE_BYTES).ok_or(Unsealable)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unsealable)?;
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let plain_len = self.sealing.open_in_place(nonce, Aad::from(owner), &mut buffer).map_err(|_| Unsealable)?.len();
        buffer.truncate(plain_len);
        Ok(buffer)
    }
}

fn expand(root: &hkdf::Prk, info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    root.expand(info, hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(key.as_mut()))
        .expect("32 bytes are within what HKDF-SHA256 gives");
    key
}

fn key_bytes(key: &Zeroizing<[u8; 32]>) -> &[u8] {
    key.as_slice()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let nibble = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.as_bytes().chunks_exact(2).map(|pair| Some(nibble(pair[0])? << 4 | nibble(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_for_its_owner_and_key_only() {
        let key = MasterKey::from_bytes(&[1; 32]);
        let sealed = key.seal("wh_1", b"whsec_canary", [9; 12]);
        assert!(!sealed.windows(6).any(|window| window == b"canary"));
        assert_eq!(key.open("wh_1", &sealed).expect("opens").as_slice(), b"whsec_canary");
        assert_eq!(key.open("wh_2", &sealed), Err(Unsealable));
        assert_eq!(MasterKey::from_bytes(&[2; 32]).open("wh_1", &sealed), Err(Unsealable));
        for place in 0..sealed.len() {
            let mut tampered = sealed.clone();
            tampered[place] ^= 1;
            assert_eq!(key.open("wh_1", &tampered), Err(Unsealable), "byte {place}");
        }
    }

    #[test]
    fn derived_keys_differ_by_everything_they_are_derived_from() {
        let key = MasterKey::from_bytes(&[1; 32]);
        let same = key.derive("hook urls", "prj_1", 1);
        assert_eq!(*key.derive("hook urls", "prj_1", 1), *same);
        let others = [
            key.derive("hook urls", "prj_1", 2),
            key.derive("hook urls", "prj_2", 1),
            key.derive("hook url", "sprj_1", 1),
            key.derive("other", "prj_1", 1),
            MasterKey::from_bytes(&[2; 32]).derive("hook urls", "prj_1", 1),
        ];
        assert!(others.iter().all(|other| **other != *same));
    }

    #[test]
    fn reads_both_spellings() {
        let hex = "ab".repeat(32);
        let base64 = STANDARD.encode([0xab; 32]);
        let sealed = MasterKey::parse(&hex).expect("hex").seal("x", b"y", [0; 12]);
        assert!(MasterKey::parse(&base64).expect("base64").open("x", &sealed).is_ok());
        assert!(MasterKey::parse("too short").is_err());
    }
}
