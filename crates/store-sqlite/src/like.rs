//! Patterns of LIKE for text that may have in it what is special there.

use sqlx::{QueryBuilder, Sqlite};

/// Continues a condition behind a text: it is like the pattern, whatever the case of ASCII letters.
pub(crate) fn any_case(query: &mut QueryBuilder<Sqlite>, pattern: String) {
    query.push(" LIKE ").push_bind(pattern).push(" ESCAPE '!'");
}

/// Has this text in it.
pub(crate) fn containing(text: &str) -> String {
    format!("%{}%", escaped(text))
}

/// Ends with this text.
pub(crate) fn ending(text: &str) -> String {
    format!("%{}", escaped(text))
}

fn escaped(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_special_in_a_pattern_stands_for_itself() {
        assert_eq!(containing("100%_sure!"), "%100!%!_sure!!%");
        assert_eq!(ending("@a_b.example>"), "%@a!_b.example>");
    }
}
