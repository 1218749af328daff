//! Mutations of a corpus that are the same in each run.

/// Numbers from a seed (SplitMix64).
#[derive(Debug, Clone)]
pub struct Numbers(u64);

impl Numbers {
    /// From this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number below `limit`, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ mixed >> 31) % limit as u64).expect("below a usize")
    }
}

/// What parsers look at.
const TOKENS: [&[u8]; 20] = [
    b"\r\n",
    b"\r",
    b"\n",
    b"\0",
    b" ",
    b"\t",
    b".",
    b"\r\n.\r\n",
    b"<",
    b">",
    b"@",
    b"\"",
    b"(",
    b"=",
    b":",
    b";",
    b",",
    b"\xff",
    b"\xc3\xa9",
    b"\x1e",
];

/// The longest that a mutation becomes.
const LONGEST: usize = 8 * 1024;

/// A member of the corpus, changed in one to four places.
pub fn mutated(corpus: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    let mut data = corpus[numbers.below(corpus.len())].clone();
    for _ in 0..=numbers.below(4) {
        change(&mut data, corpus, numbers);
    }
    data.truncate(LONGEST);
    data
}

fn change(data: &mut Vec<u8>, corpus: &[Vec<u8>], numbers: &mut Numbers) {
    let from = numbers.below(data.len() + 1);
    let to = (from + numbers.below(16)).min(data.len());
    match numbers.below(6) {
        0 => drop(data.drain(from..to)),
        1 => drop(data.splice(from..to, TOKENS[numbers.below(TOKENS.len())].iter().copied())),
        2 => drop(data.splice(from..from, TOKENS[numbers.below(TOKENS.len())].iter().copied())),
        3 => data[from..to].iter_mut().take(1).for_each(|octet| *octet ^= 1 << numbers.below(8)),
        4 => {
            let again = data[from..to].repeat(1 + numbers.below(40));
            drop(data.splice(from..from, again));
        }
        _ => {
            let other = &corpus[numbers.below(corpus.len())];
            let begin = numbers.below(other.len() + 1);
            data.truncate(from);
            data.extend_from_slice(&other[begin..]);
        }
    }
}
