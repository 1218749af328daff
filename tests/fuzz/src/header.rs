//! Header sections: where a message is cut changes nothing, and what is repaired needs no second repair.

use bytes::Bytes;
use message::{Header, HeaderError, Progress, Section};

use crate::pieces::clean;

/// A message. Its line ends are made clean, as the session's are.
pub(crate) fn holds(data: &[u8]) {
    let message = clean(data);
    let whole = [true, false].map(|patient| {
        let whole = gathered(&message, patient, usize::MAX);
        for step in [1 + message.len() / 1000, 3, 61] {
            assert_eq!(gathered(&message, patient, step), whole, "in pieces of {step}");
        }
        whole
    });
    let [patient, strict] = whole;
    if let Ok((fields, body)) = &strict {
        // Strictly read, it is what came.
        let rest = message.strip_prefix(fields.as_slice()).expect("the fields come first");
        assert!(rest.strip_prefix(b"\r\n").unwrap_or(rest) == body.as_slice());
        assert!(
            Header::parse(fields).is_ok_and(|header| raw(&header) == *fields)
                || Header::parse(fields).is_err()
        );
    }
    if patient.is_ok() {
        repaired(&message);
    }
}

/// The fields as they came, and the body.
fn gathered(message: &[u8], patient: bool, step: usize) -> Result<(Vec<u8>, Vec<u8>), HeaderError> {
    section(message, patient, step).map(|(header, body)| (header.as_they_came(), body))
}

/// The gathered fields of a message that comes in pieces, and its body.
pub(crate) fn section(
    message: &[u8],
    patient: bool,
    step: usize,
) -> Result<(message::Gathered, Vec<u8>), HeaderError> {
    let mut section = Section::new(patient);
    let mut pieces = message.chunks(step.min(message.len().max(1)));
    while let Some(piece) = pieces.next() {
        if let Progress::Complete { header, body_rest } = section.feed(Bytes::copy_from_slice(piece))? {
            let rest: Vec<u8> = pieces.flatten().copied().collect();
            return Ok((header, [&body_rest, rest.as_slice()].concat()));
        }
    }
    section.finish().map(|(header, body)| (header, body.to_vec()))
}

/// A repaired section is one that the strict reading takes, or refuses for what can't be repaired; gathered again, it has nothing
/// to repair.
fn repaired(message: &[u8]) {
    let Ok((gathered, _)) = section(message, true, usize::MAX) else { return };
    let Ok((fields, _)) = gathered.repaired() else { return };
    if fields.is_empty() {
        return;
    }
    let again = [fields.as_slice(), b"\r\n"].concat();
    let Ok(header) = Header::parse(&fields) else { return };
    assert_eq!(raw(&header), fields, "every octet belongs to a field");
    let (gathered, body) =
        section(&again, true, usize::MAX).expect("a header that can be read can be gathered");
    assert!(body.is_empty(), "a part of the header became body: {:?}", body.escape_ascii().to_string());
    let (twice, repairs) = gathered.repaired().expect("what was repaired is not past repair");
    assert_eq!(twice.escape_ascii().to_string(), fields.escape_ascii().to_string());
    assert!(repairs.is_empty(), "repaired twice: {repairs}");
}

pub(crate) fn raw(header: &Header<'_>) -> Vec<u8> {
    header.fields().flat_map(|field| field.raw().as_bytes().to_vec()).collect()
}
