//! The formats of the WAL and of the wal-index (<https://www.sqlite.org/walformat.html>), as far as they are read here.

use std::io::{self, Read};

/// The header of the wal-index, which begins the file `-shm` twice.
pub(crate) const INDEX_HEADER: usize = 48;

/// Where its checksum begins. It covers a counter of commits and the checksum of the last frame.
pub(crate) const INDEX_CHECKSUM: usize = 40;

/// The version of both formats.
const VERSION: u32 = 3_007_000;

/// The header of the WAL, and that of each frame in it.
const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// The first four octets of a WAL; one more if its checksums are of big-endian words.
const MAGIC: u32 = 0x377f_0682;

/// Two numbers that a WAL has as long as it is not begun anew: then the first grows by one, and the second is random.
pub(crate) type Salts = [u8; 8];

/// The last frame of the last commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LastCommit {
    pub(crate) salts: Salts,
    /// How many frames the WAL has up to there.
    pub(crate) frames: u32,
    /// Octets of a page.
    pub(crate) page_size: usize,
}

impl LastCommit {
    /// What the wal-index says, whose two headers these are; `None` if they are not of the known form, or just written.
    pub(crate) fn of_index(headers: &[u8; 2 * INDEX_HEADER]) -> Option<Self> {
        if !is_known_form(headers) {
            return None;
        }
        let page_size = u16::from_ne_bytes(*headers.get(14..)?.first_chunk()?);
        Some(Self {
            salts: *headers.get(32..)?.first_chunk()?,
            frames: u32::from_ne_bytes(*headers.get(16..)?.first_chunk()?),
            page_size: page_size_of(page_size),
        })
    }

    /// Where the last frame begins in the WAL.
    pub(crate) fn offset(&self) -> u64 {
        HEADER as u64 + u64::from(self.frames.saturating_sub(1)) * self.frame_size() as u64
    }

    /// Octets of a frame.
    pub(crate) fn frame_size(&self) -> usize {
        FRAME_HEADER + self.page_size
    }
}

/// The number of the page in a frame, and the page, if the frame has these salts.
pub(crate) fn page_in<'f>(frame: &'f [u8], salts: &Salts) -> Option<(u32, &'f [u8])> {
    let (header, page) = frame.split_at_checked(FRAME_HEADER)?;
    let number = u32::from_be_bytes(*header.first_chunk()?);
    (header.get(8..16)? == salts).then_some((number, page))
}

/// A size of pages as databases write it, for which 65,536 is too large.
pub(crate) fn page_size_of(written: u16) -> usize {
    if written == 1 { 65_536 } else { usize::from(written) }
}

/// Whether both headers of a wal-index are the same, of the known version, and have the right checksum.
pub(crate) fn is_known_form(headers: &[u8; 2 * INDEX_HEADER]) -> bool {
    let (one, other) = headers.split_at(INDEX_HEADER);
    let words: Vec<u32> = one.as_chunks().0.iter().map(|word: &[u8; 4]| u32::from_ne_bytes(*word)).collect();
    let (covered, checksum) = words.split_at(INDEX_CHECKSUM / 4);
    one == other && covered.first() == Some(&VERSION) && checksum == sum([0, 0], covered)
}

/// The checksum of words behind others whose checksum was `before`.
pub(crate) fn sum(before: [u32; 2], words: &[u32]) -> [u32; 2] {
    words.as_chunks().0.iter().fold(before, |[one, two], [first, second]: &[u32; 2]| {
        let one = one.wrapping_add(*first).wrapping_add(two);
        [one, two.wrapping_add(*second).wrapping_add(one)]
    })
}

/// A WAL that is being read, as recovery after a crash would read it.
pub(crate) struct Wal<R> {
    file: R,
    word: fn([u8; 4]) -> u32,
    page_size: usize,
    salts: Salts,
    checksum: [u32; 2],
}

impl<R: Read> Wal<R> {
    /// Reads the header; `None` if there is none, or a damaged one.
    pub(crate) fn open(mut file: R) -> io::Result<Option<Self>> {
        let mut header = [0; HEADER];
        if !filled(&mut file, &mut header)? {
            return Ok(None);
        }
        Ok(Self::of(file, &header))
    }

    fn of(file: R, header: &[u8; HEADER]) -> Option<Self> {
        let number = |at: usize| Some(u32::from_be_bytes(*header.get(at..)?.first_chunk()?));
        let word = match number(0)? {
            MAGIC => u32::from_le_bytes,
            magic if magic == MAGIC + 1 => u32::from_be_bytes,
            _ => return None,
        };
        let (covered, checksum) = header.split_at(24);
        let sum = sum([0, 0], &words(covered, word));
        let is_whole = number(4)? == VERSION && checksum == stored(sum);
        let salts = *header.get(16..)?.first_chunk()?;
        let page_size = usize::try_from(number(8)?).ok()?;
        is_whole.then_some(Self { file, word, page_size, salts, checksum: sum })
    }

    pub(crate) fn salts(&self) -> Salts {
        self.salts
    }

    /// Whether this many frames are whole.
    pub(crate) fn has(&mut self, frames: u32) -> io::Result<bool> {
        let mut frame = vec![0; FRAME_HEADER + self.page_size];
        for _ in 0..frames {
            if !filled(&mut self.file, &mut frame)? || !self.is_next(&frame) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn is_next(&mut self, frame: &[u8]) -> bool {
        let (header, page) = frame.split_at(FRAME_HEADER);
        let (covered, rest) = header.split_at(8);
        self.checksum = sum(sum(self.checksum, &words(covered, self.word)), &words(page, self.word));
        rest == [self.salts, stored(self.checksum)].concat()
    }
}

/// Checksums are stored as big-endian numbers.
fn stored([one, two]: [u32; 2]) -> [u8; 8] {
    let mut octets = [0; 8];
    octets
        .iter_mut()
        .zip([one.to_be_bytes(), two.to_be_bytes()].concat())
        .for_each(|(to, octet)| *to = octet);
    octets
}

fn words(octets: &[u8], word: fn([u8; 4]) -> u32) -> Vec<u32> {
    octets.as_chunks().0.iter().map(|octets| word(*octets)).collect()
}

/// Whether there was enough to fill the buffer.
fn filled(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true),
    }
}
