//! A compressed body that unpacks to a thousand times its size, written by hand so that nothing
//! here links a compressor.

use std::sync::LazyLock;

/// The bomb. Made once, before it is needed: making it takes longer than some deadlines.
pub(super) static GZIP_BOMB: LazyLock<Vec<u8>> = LazyLock::new(gzip_bomb);

/// Zero bytes that one repeat stands for; the longest that DEFLATE has.
const REPEAT_BYTES: usize = 258;
/// What the bomb unpacks to.
const UNPACKED_BYTES: usize = 200 * 1024 * 1024;

/// About 1.3 MiB of gzip (RFC 1952) that unpack to 200 MiB of zeros.
fn gzip_bomb() -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut bits = Bits::default();
    // One final block of fixed Huffman codes (RFC 1951, 3.2.6).
    bits.push(&mut bytes, 0b1, 1);
    bits.push(&mut bytes, 0b01, 2);
    // The literal 0, then "258 bytes from 1 byte back" again and again.
    bits.push_code(&mut bytes, 0b0011_0000, 8);
    for _ in 0..UNPACKED_BYTES / REPEAT_BYTES {
        bits.push_code(&mut bytes, 0b1100_0101, 8);
        bits.push_code(&mut bytes, 0b0_0000, 5);
    }
    bits.push_code(&mut bytes, 0, 7);
    bits.flush(&mut bytes);
    // Checksum and length stand at the end, where nobody who unpacks a bomb arrives in good health.
    bytes.extend_from_slice(&[0; 8]);
    bytes
}

/// Bits on their way into bytes, the lowest first.
#[derive(Default)]
struct Bits {
    waiting: u32,
    count: u32,
}

impl Bits {
    fn push(&mut self, bytes: &mut Vec<u8>, value: u32, width: u32) {
        self.waiting |= value << self.count;
        self.count += width;
        while self.count >= 8 {
            bytes.push((self.waiting & 0xff) as u8);
            self.waiting >>= 8;
            self.count -= 8;
        }
    }

    /// Huffman codes go in with their highest bit first.
    fn push_code(&mut self, bytes: &mut Vec<u8>, code: u32, width: u32) {
        self.push(bytes, code.reverse_bits() >> (32 - width), width);
    }

    fn flush(&mut self, bytes: &mut Vec<u8>) {
        if self.count > 0 {
            bytes.push((self.waiting & 0xff) as u8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bomb_is_small() {
        let bomb = &*GZIP_BOMB;
        assert!(bomb.len() < UNPACKED_BYTES / 150, "{} bytes", bomb.len());
        // The first repeat of the fixed code, as any DEFLATE decoder reads it.
        assert_eq!(&bomb[..3], [0x1f, 0x8b, 8]);
    }
}
