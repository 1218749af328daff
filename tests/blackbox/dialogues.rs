//! Every file of `dialogues/` and `cases/` as two cases: against the pure session, and against the real binary over a
//! socket.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tests::dialogue::{Dialogue, Stage, find};
use tests::runner::{Case, main as run};
use tests::{session, stage};

fn main() -> ExitCode {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dialogues = tests.join("dialogues");
    let known = find(&dialogues).into_iter().flat_map(|path| cases(&dialogues, path));
    let real = find(&tests.join("cases")).into_iter().flat_map(|path| cases(tests, path));
    run(known.chain(real).collect())
}

/// A file that can't be read is one case that fails and says why.
fn cases(root: &Path, path: PathBuf) -> Vec<Case> {
    match Dialogue::read(root, &path) {
        Ok(dialogue) => [Stage::Session, Stage::Server]
            .into_iter()
            .filter(|stage| dialogue.setup.plays_on(*stage))
            .map(|stage| case(stage, &dialogue.name, root, &path))
            .collect(),
        Err(problem) => {
            vec![Case {
                name: format!("session::{}", path.display()),
                run: Box::new(move || Err(problem.clone())),
            }]
        }
    }
}

fn case(stage: Stage, name: &str, root: &Path, path: &Path) -> Case {
    let (root, path) = (root.to_owned(), path.to_owned());
    match stage {
        Stage::Session => Case {
            name: format!("session::{name}"),
            run: Box::new(move || session::rehearse(&Dialogue::read(&root, &path)?)),
        },
        Stage::Server => Case {
            name: format!("server::{name}"),
            run: Box::new(move || stage::perform(&Dialogue::read(&root, &path)?)),
        },
    }
}
