//! Inputs out of a corpus and a seed.

/// Bytes of an input at most.
const INPUT_BYTES_MAX: usize = 4_096;
/// Changes to one input at most.
const CHANGES_MAX: u64 = 8;

/// Pieces that parsers care about.
const PIECES: [&[u8]; 32] = [
    b"\0",
    b"\r\n",
    b"%00",
    b"\xff",
    b"\xc3\xa9",
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\",
    b"\\u0000",
    b",",
    b":",
    b"/",
    b"//",
    b"@",
    b"#",
    b"?",
    b"..",
    b"*",
    b"-1",
    b"1e999",
    b"18446744073709551616",
    b"null",
    b"true",
    b"::ffff:127.0.0.1",
    b"0x7f.1",
    b"{signature}",
    b"{timestamp}",
    b"\"equals\":",
    b"\xe3\x80\x82",
];

/// Makes inputs: the same seed always makes the same ones.
#[derive(Debug)]
pub struct Mutator<'a> {
    corpus: Vec<&'a [u8]>,
    state: u64,
}

impl<'a> Mutator<'a> {
    /// Starts from a corpus of one input a line.
    pub fn new(corpus: &'a str, seed: u64) -> Self {
        Self { corpus: corpus.lines().map(str::as_bytes).collect(), state: seed }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { (self.next() % end as u64) as usize }
    }

    fn any_input(&mut self) -> &'a [u8] {
        let place = self.below(self.corpus.len());
        self.corpus.get(place).copied().unwrap_or_default()
    }

    /// The next input.
    pub fn input(&mut self) -> Vec<u8> {
        let mut input = self.any_input().to_vec();
        for _ in 0..=self.next() % CHANGES_MAX {
            self.change(&mut input);
        }
        input.truncate(INPUT_BYTES_MAX);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        let to = at + self.below((input.len() - at).min(16) + 1);
        match self.below(8) {
            0 => drop(input.drain(at..to)),
            1 => {
                let piece = PIECES[self.below(PIECES.len())];
                drop(input.splice(at..to, piece.iter().copied()));
            }
            2 => {
                let piece = PIECES[self.below(PIECES.len())];
                drop(input.splice(at..at, piece.iter().copied()));
            }
            3 => {
                let byte = self.next() as u8;
                drop(input.splice(at..at, [byte]));
            }
            4 if at < input.len() => input[at] ^= 1 << self.below(8),
            5 => {
                let part = input[at..to].to_vec();
                let times = self.below(64);
                drop(input.splice(at..at, part.repeat(times)));
            }
            6 => {
                let other = self.any_input();
                let from = self.below(other.len() + 1);
                drop(input.splice(at.., other[from..].iter().copied()));
            }
            _ => {
                let other = self.any_input();
                let from = self.below(other.len() + 1);
                let until = from + self.below(other.len() - from + 1);
                drop(input.splice(at..to, other[from..until].iter().copied()));
            }
        }
    }
}
