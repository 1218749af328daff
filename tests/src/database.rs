//! The databases of a store, as somebody sees and changes them who goes past the commands.

use std::path::Path;
use std::process::Command;

use crate::server::run;

/// Runs a program in Python, which has `sqlite3`, with these arguments; what it prints.
fn python(program: &str, arguments: &[&str]) -> String {
    let output = run(Command::new("python3").args(["-c", program]).args(arguments), "");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs statements on a database, all in one transaction.
pub fn execute(database: &Path, statements: &str) {
    let program = "
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as database:
    database.executescript('BEGIN;' + sys.argv[2] + ';COMMIT')
";
    python(program, &[&database.to_string_lossy(), statements]);
}

/// The versions of the schemas of `accounts.db` and `queue.db`.
pub fn versions(store: &Path) -> [i64; 2] {
    let program = "
import sqlite3, sys
for name in ('accounts', 'queue'):
    database = sqlite3.connect(sys.argv[1] + '/' + name + '.db')
    print(database.execute('SELECT max(version) FROM _sqlx_migrations').fetchone()[0])
";
    let told = python(program, &[&store.to_string_lossy()]);
    let versions: Vec<i64> = told.lines().map(|version| version.parse().unwrap()).collect();
    versions.try_into().unwrap()
}

/// Makes an empty store in `directory`, as the version before the last migration of each database made it.
pub fn make_older_store(directory: &Path) {
    let program = "
import hashlib, os, pathlib, sqlite3, sys
directory, migrations = map(pathlib.Path, sys.argv[1:])
os.umask(0o077)
(directory / 'spool').mkdir(parents=True)
for name in ('accounts', 'queue'):
    database = sqlite3.connect(directory / (name + '.db'))
    database.execute('PRAGMA journal_mode = WAL')
    database.execute('''CREATE TABLE _sqlx_migrations (
        version BIGINT PRIMARY KEY, description TEXT NOT NULL, installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
        success BOOLEAN NOT NULL, checksum BLOB NOT NULL, execution_time BIGINT NOT NULL)''')
    for file in sorted((migrations / name).iterdir())[:-1]:
        statements = file.read_text()
        database.executescript(statements)
        row = (int(file.name[:4]), file.stem[5:], hashlib.sha384(statements.encode()).digest())
        database.execute('INSERT INTO _sqlx_migrations VALUES (?, ?, CURRENT_TIMESTAMP, TRUE, ?, 0)', row)
        database.commit()
    database.close()
";
    let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations/sqlite");
    python(program, &[&directory.to_string_lossy(), migrations]);
}

/// Marks a database as migrated by a version that is yet to come.
pub fn make_newer(database: &Path) {
    execute(
        database,
        "INSERT INTO _sqlx_migrations SELECT 9999, description, installed_on, success, checksum, execution_time \
         FROM _sqlx_migrations LIMIT 1",
    );
}
