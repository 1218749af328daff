//! Where a value stands in a configuration file, for what is found to be wrong with it later.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::fault::position;
use crate::value::Base;

/// `FILE:LINE:COLUMN` of a text in the file at `file` for which `is_meant` holds; `FILE` alone if there is none.
pub fn place_of(file: &Path, is_meant: impl Fn(&str) -> bool) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let (document, _) = DeTable::parse_recoverable(&text);
    match in_table(document.get_ref(), &is_meant).map(|at| position(&text, at)) {
        Some((line, column)) => format!("{}:{line}:{column}", file.display()),
        None => file.display().to_string(),
    }
}

/// The place at which the file at `file` names this path.
pub fn place_of_path(file: &Path, path: &Path) -> String {
    let base = Base::of(file);
    place_of(file, |text| base.join(text) == path)
}

fn in_table(table: &DeTable<'_>, is_meant: &impl Fn(&str) -> bool) -> Option<usize> {
    table.values().find_map(|value| in_value(value, is_meant))
}

fn in_value(value: &Spanned<DeValue<'_>>, is_meant: &impl Fn(&str) -> bool) -> Option<usize> {
    match value.get_ref() {
        DeValue::String(text) => is_meant(text).then(|| value.span().start),
        DeValue::Table(table) => in_table(table, is_meant),
        DeValue::Array(array) => array.iter().find_map(|element| in_value(element, is_meant)),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_where_it_stands_in_whichever_table_or_list() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("gatepost.toml");
        let text = "hostname = \"a.test\"\n[tls]\ncertificate = \"tls/c.pem\"\n[[listen]]\naddress = \"[::1]:25\"\n\
                    [[listen]]\nxclient = [\"192.0.2.1\",\n  \"192.0.2.2\"]\n";
        std::fs::write(&file, text).unwrap();
        let at = |place: &str| format!("{}{place}", file.display());
        assert_eq!(place_of_path(&file, &directory.path().join("tls/c.pem")), at(":3:15"));
        assert_eq!(place_of(&file, |text| text == "[::1]:25"), at(":5:11"));
        assert_eq!(place_of(&file, |text| text == "192.0.2.2"), at(":8:3"));
        assert_eq!(place_of(&file, |text| text == "nowhere"), at(""));
        assert_eq!(
            place_of(&directory.path().join("none"), |_| true),
            format!("{}/none", directory.path().display())
        );
    }
}
