//! The house rules within a crate: no two files use each other, directly or around a corner.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::house::{root, sources, without_tests};

/// The crates whose files use each other in one direction. What a file has from another it names by that file, not by the root of the
/// crate.
const CRATES: [&str; 11] = [
    "sasl",
    "esmtp",
    "message",
    "store-sqlite",
    "backends",
    "auth",
    "delivery",
    "submission",
    "acceptance",
    "console",
    "gatepost",
];

/// The modules whose files may use each other, with those below them: the states of a session, which turn into one another.
const STATE_MACHINES: [&str; 1] = ["esmtp/session"];

/// A module, by the names that lead to it; the root of the crate has none.
type Module = Vec<String>;

/// The modules of a crate that are files, and which of the others each of them uses.
type Uses = BTreeMap<Module, BTreeSet<Module>>;

#[test]
fn no_two_files_use_each_other() {
    for name in CRATES {
        let uses = uses(name);
        assert!(uses.len() > 10 && uses.values().any(|used| !used.is_empty()), "{name}: {uses:#?}");
        let shown = |module: &Module| format!("{name}/{}", module.join("/"));
        let circle: Vec<_> = in_circles(uses)
            .iter()
            .map(|(module, used)| {
                format!("{} uses {:?}", shown(module), used.iter().map(shown).collect::<Vec<_>>())
            })
            .collect();
        assert!(circle.is_empty(), "files use each other in a circle: {circle:#?}");
    }
}

#[test]
fn a_circle_is_found_however_it_is_written() {
    let files = |all: &[(&str, &str)]| {
        let modules: BTreeSet<_> = all.iter().map(|(module, _)| names(module)).collect();
        let uses = all.iter().map(|(module, text)| (names(module), used_by(&names(module), text, &modules)));
        in_circles(uses.collect()).into_keys().map(|module| module.join("::")).collect::<Vec<_>>()
    };
    let one_way = [
        ("", "mod a;\nmod b;"),
        ("a", "use crate::b::{self, Thing};"),
        ("b", "// crate::a\npub(in crate::a) fn f() {}"),
    ];
    assert!(files(&one_way).is_empty());
    for back in [
        "use crate::{\n    a::Other as _,\n    c,\n};",
        "use super::a::Other;",
        "fn f() -> super::a::Other {}",
    ] {
        assert_eq!(files(&[one_way[0], one_way[1], ("b", back)]), ["a", "b"], "{back}");
    }
    let parent =
        [("a", "mod b;\nuse b::Thing;"), ("a::b", "use super::Other;"), ("c", "use crate::a::Other;")];
    assert_eq!(files(&parent), ["a", "a::b"], "c only uses them");
}

fn uses(name: &str) -> Uses {
    let directory = root().join("crates").join(name).join("src");
    let texts: Vec<_> = sources(&directory)
        .into_iter()
        .map(|file| {
            let text = std::fs::read_to_string(&file).unwrap();
            (module_of(file.strip_prefix(&directory).unwrap()), without_tests(&text).to_owned())
        })
        .filter(|(module, _)| !is_of_a_state_machine(name, module))
        .collect();
    let modules: BTreeSet<_> = texts.iter().map(|(module, _)| module.clone()).collect();
    texts.iter().map(|(module, text)| (module.clone(), used_by(module, text, &modules))).collect()
}

fn is_of_a_state_machine(name: &str, module: &Module) -> bool {
    module.first().is_some_and(|first| STATE_MACHINES.contains(&format!("{name}/{first}").as_str()))
}

fn module_of(file: &Path) -> Module {
    let mut module = names(&file.with_extension("").to_string_lossy().replace('/', "::"));
    if module.last().is_some_and(|last| ["lib", "main", "mod"].contains(&last.as_str())) {
        module.pop();
    }
    module
}

fn names(path: &str) -> Module {
    path.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The other files of the crate that this text names, in a `use` or in the middle of code.
fn used_by(module: &Module, text: &str, modules: &BTreeSet<Module>) -> BTreeSet<Module> {
    let code: String =
        text.lines().filter_map(|line| line.split("//").next()).flat_map(|line| [line, "\n"]).collect();
    let imports = code.split("use ").skip(1).filter_map(|rest| rest.split(';').next()).flat_map(spread);
    let begins = ["crate::", "super::"].into_iter().flat_map(|begin| code.match_indices(begin));
    // Who may see an item is not what the item uses.
    let inline = begins.filter(|(at, _)| !code[..*at].ends_with("pub(in ")).map(|(at, _)| {
        let path = code[at..].chars().take_while(|letter| letter.is_alphanumeric() || "_:".contains(*letter));
        path.collect()
    });
    // What ends in `::` is the stem of an import.
    let inline = inline.filter(|path: &String| !path.ends_with("::"));
    let named = imports.chain(inline).filter_map(|path| file_of(&path, module, modules));
    named.filter(|used| used != module).collect()
}

/// The paths of an import, each written out.
fn spread(import: &str) -> Vec<String> {
    let Some((stem, list)) = import.split_once('{') else {
        let path = import.split(" as ").next().unwrap_or_default();
        return vec![path.split_whitespace().collect()];
    };
    let list = list.trim_end().strip_suffix('}').unwrap_or(list);
    let (mut depth, mut paths) = (0, vec![String::new()]);
    for letter in list.chars() {
        match letter {
            ',' if depth == 0 => paths.push(String::new()),
            _ => {
                depth += i32::from(letter == '{') - i32::from(letter == '}');
                paths.last_mut().unwrap().push(letter);
            }
        }
    }
    let paths = paths.iter().map(|path| path.trim()).filter(|path| !path.is_empty());
    paths.flat_map(|path| spread(&format!("{stem}{path}"))).collect()
}

/// The file in which this path leads out of the module, if it is one of the crate.
fn file_of(path: &str, module: &Module, modules: &BTreeSet<Module>) -> Option<Module> {
    let path = names(path);
    let mut rest = path.iter();
    let mut found = module.clone();
    match rest.next()?.as_str() {
        "crate" => found.clear(),
        "self" => {}
        "super" => drop(found.pop()),
        child => {
            found.push(child.to_owned());
            modules.contains(&found).then_some(())?;
        }
    }
    for name in rest {
        match name.as_str() {
            "super" => drop(found.pop()),
            name => {
                found.push(name.to_owned());
                if !modules.contains(&found) {
                    found.pop();
                    break;
                }
            }
        }
    }
    Some(found)
}

/// What is left of the files when those are taken away, again and again, that use none of the others or are used by none.
fn in_circles(mut uses: Uses) -> Uses {
    loop {
        let before = uses.len();
        let there: BTreeSet<_> = uses.keys().cloned().collect();
        uses.values_mut().for_each(|used| used.retain(|one| there.contains(one)));
        let used: BTreeSet<_> = uses.values().flatten().cloned().collect();
        uses.retain(|module, uses| !uses.is_empty() && used.contains(module));
        if uses.len() == before {
            return uses;
        }
    }
}
