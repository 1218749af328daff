//! Each property with its corpus, and with some thousand mutations of it: what cargo-fuzz would need hours for is looked for by
//! `tests/fuzz/run`, and what that has found stays found here.

use std::path::Path;

use fuzz::mutation::{Numbers, mutated};
use fuzz::{PROPERTIES, property};

/// The property of this name holds for its corpus and for so many mutations of it.
fn replay(name: &str, mutations: usize) {
    let property = property(name);
    let corpus = corpus(name);
    assert!(corpus.len() >= 3, "no corpus in tests/fuzz/corpus/{name}");
    for member in &corpus {
        (property.holds)(member);
    }
    let mut numbers = Numbers::new(0);
    for _ in 0..mutations {
        let data = mutated(&corpus, &mut numbers);
        if let Err(panic) = std::panic::catch_unwind(|| (property.holds)(&data)) {
            println!("{name} does not hold for b\"{}\"", data.escape_ascii());
            std::panic::resume_unwind(panic);
        }
    }
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let entries =
        std::fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

macro_rules! replayed {
    ($($name:ident: $mutations:literal),* $(,)?) => {
        $(#[test]
        fn $name() {
            replay(stringify!($name), $mutations);
        })*

        #[test]
        fn every_property_is_replayed_and_has_a_target() {
            assert_eq!(PROPERTIES.map(|property| property.name), [$(stringify!($name)),*]);
            let targets = Path::new(env!("CARGO_MANIFEST_DIR")).join("libfuzzer/targets");
            for property in PROPERTIES {
                assert!(targets.join(property.name).with_extension("rs").exists(), "no target {}", property.name);
            }
        }
    };
}

// As many as take about a second where nothing is optimised.
replayed!(
    lines: 200,
    commands: 5000,
    session: 500,
    xclient: 3000,
    framing: 200,
    sasl: 1000,
    header: 500,
    addresses: 1000,
    repair: 150,
    signed: 1000,
    replies: 1000,
    reports: 500,
    proxy: 5000,
    tokens: 2000,
    configuration: 500,
    imports: 500,
);
