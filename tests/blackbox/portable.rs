//! The statements of a backend are written so that another database reads them alike (docs/decisions/0023-portable-sql.md).

use crate::house::{root, sources, without_tests};

/// What only SQLite reads, or reads otherwise than others do, and what to write instead. In lower case.
const UNPORTABLE: [(&str, &str); 27] = [
    ("iif(", "CASE, or a function in `store`"),
    ("ifnull(", "coalesce"),
    ("instr(", "LIKE, by `like.rs`"),
    (" glob ", "LIKE, by `like.rs`"),
    ("nocase", "lower() on both sides"),
    ("json_", "a parameter for each value"),
    ("hex(", "octets as parameters"),
    ("x''", "a parameter"),
    ("-length(", "LIKE, by `like.rs`"),
    ("where 1", "WHERE true"),
    ("held = 0", "false"),
    ("held = 1", "true"),
    ("disabled = 0", "false"),
    ("disabled = 1", "true"),
    ("rowid", "a column"),
    ("insert or ", "ON CONFLICT"),
    ("replace into", "ON CONFLICT"),
    ("conflict do update", "ON CONFLICT with its columns"),
    ("max(id) -", "OFFSET: ids have gaps"),
    ("group_concat(", "rows"),
    ("total(", "coalesce(sum(…), 0)"),
    ("printf(", "text made in Rust"),
    ("strftime(", "times as parameters"),
    ("datetime(", "times as parameters"),
    ("random", "octets as parameters"),
    ("zeroblob(", "octets as parameters"),
    ("pragma", "nothing: this is SQLite's own business"),
];

/// Who deals with SQLite's files, of which other databases have none.
const OF_FILES: [&str; 6] =
    ["backup.rs", "connect.rs", "integrity.rs", "schema.rs", "spool/recover.rs", "accounts/wal_index.rs"];

#[test]
fn statements_are_portable() {
    let directory = root().join("crates/store-sqlite/src");
    let (mut statements, mut wrong) = (0, Vec::new());
    for file in sources(&directory) {
        let name = file.strip_prefix(&directory).unwrap().to_string_lossy().into_owned();
        if OF_FILES.contains(&name.as_str()) || name.ends_with("cost.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        for literal in literals(without_tests(&text)) {
            statements += usize::from(is_statement(&literal));
            wrong.extend(faults(&literal).into_iter().map(|fault| format!("{name}: {fault} in {literal:?}")));
        }
    }
    assert!(statements >= 100, "{statements}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_not_portable_is_found_wherever_it_stands() {
    for bad in [
        "SELECT iif(a, 1, 2)",
        "UPDATE t SET a = min(a, $1)",
        "UPDATE t SET a = max(coalesce(a, 0), $1)",
        "SELECT coalesce(sum(state = 'queued'), 0)",
        "INSERT INTO t VALUES ($1) ON CONFLICT DO UPDATE SET a = 1",
    ] {
        assert_eq!(faults(bad).len(), 1, "{bad}: {:?}", faults(bad));
    }
    for good in [
        "SELECT min(a), max(coalesce(a, 0)), sum(size) FROM t WHERE (a, b) > ($1, $2)",
        "INSERT INTO t VALUES ($1) ON CONFLICT (a) DO UPDATE SET a = excluded.a",
        "INSERT INTO t VALUES ($1) ON CONFLICT DO NOTHING",
    ] {
        assert!(faults(good).is_empty(), "{good}: {:?}", faults(good));
    }
}

#[test]
fn literals_are_told_from_comments_and_letters() {
    let code = "// \"no\"\nlet a = '\"'; // \"nor this\"\nlet b = \"SELECT \\\"a\\\" \\\n    FROM b\";\nf(\"x // y\", b'\"')";
    assert_eq!(literals(code), ["SELECT \\\"a\\\" \\\n    FROM b", "x // y"]);
}

fn is_statement(literal: &str) -> bool {
    ["SELECT ", "INSERT ", "UPDATE ", "DELETE "].iter().any(|verb| literal.contains(verb))
}

/// What of a statement, or of a part of one, another database would not read or understand.
fn faults(sql: &str) -> Vec<String> {
    let sql = sql.to_lowercase();
    let words = UNPORTABLE.iter().filter(|(words, _)| sql.contains(words));
    let mut faults: Vec<_> = words.map(|(words, instead)| format!("`{words}` (write {instead})")).collect();
    let several = |name: &str| arguments(&sql, name).iter().any(|arguments| splits(arguments, ','));
    if several("min(") || several("max(") {
        faults.push("min or max of two values (write CASE, or a function in `store`)".to_owned());
    }
    if arguments(&sql, "sum(").iter().any(|argument| splits(argument, '=')) {
        faults.push("a sum of conditions (write count(*) FILTER (WHERE …))".to_owned());
    }
    faults
}

/// What stands between the parentheses of each call of this function, whose name ends in the opening one.
fn arguments<'s>(sql: &'s str, call: &str) -> Vec<&'s str> {
    sql.match_indices(call)
        .map(|(at, _)| {
            let rest = &sql[at + call.len()..];
            let mut depth = 1;
            let end = rest.find(|letter| {
                depth += i32::from(letter == '(') - i32::from(letter == ')');
                depth == 0
            });
            &rest[..end.unwrap_or(rest.len())]
        })
        .collect()
}

/// Whether this letter is in the text, outside of any parentheses.
fn splits(text: &str, by: char) -> bool {
    let mut depth = 0;
    text.chars().any(|letter| {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        depth == 0 && letter == by
    })
}

/// The string literals of a text in Rust, as they are written. There are no raw ones.
fn literals(code: &str) -> Vec<String> {
    let (mut found, mut letters) = (Vec::new(), code.chars().peekable());
    while let Some(letter) = letters.next() {
        match letter {
            '/' if letters.peek() == Some(&'/') => drop(letters.by_ref().find(|letter| *letter == '\n')),
            // A letter, not a lifetime.
            '\'' if letters.clone().nth(1) == Some('\'') => drop(letters.nth(1)),
            '"' => found.push(literal(&mut letters)),
            _ => {}
        }
    }
    found
}

/// The rest of a literal, whose opening quotation mark is taken.
fn literal(letters: &mut impl Iterator<Item = char>) -> String {
    let (mut text, mut escaped) = (String::new(), false);
    for letter in letters {
        if letter == '"' && !escaped {
            break;
        }
        escaped = letter == '\\' && !escaped;
        text.push(letter);
    }
    text
}
