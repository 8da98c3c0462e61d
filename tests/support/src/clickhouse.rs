//! ClickHouse, in process: `chdb` from PyPI. It is where `CHDB` names a folder that `pip install --target` made; `.ci/run` does.

mod http;

pub use http::ClickHouse;

use std::io::Write;
use std::process::{Child, Command, Stdio};

/// Runs each statement of standard input, which end with a line of `;`, and prints what each answers, a zero byte behind it.
const PROGRAM: &str = "
import sys
from chdb import session
statements = [text for text in sys.stdin.read().split('\\n;\\n') if text.strip()]
database = session.Session()
for statement in statements:
    sys.stdout.write(str(database.query(statement, 'TabSeparated')) + '\\0')
";

/// What ClickHouse answers to the last of `statements`, in columns parted by tabs; `None` where there is none, which is said.
///
/// # Panics
///
/// Where a statement is wrong.
#[must_use]
pub fn clickhouse(statements: &[String]) -> Option<String> {
    clickhouse_answers(statements)?.pop()
}

/// What it answers to each.
///
/// # Panics
///
/// Where a statement is wrong.
#[must_use]
pub fn clickhouse_answers(statements: &[String]) -> Option<Vec<String>> {
    let mut python = python(PROGRAM)?;
    let mut input = python.stdin.take().unwrap();
    let text = statements.join("\n;\n");
    // What it answers meanwhile must not wait for what it still reads.
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    writer.join().unwrap().unwrap();
    let mut answers: Vec<String> =
        String::from_utf8(output.stdout).unwrap().split('\0').map(str::to_owned).collect();
    // Behind the last zero byte.
    answers.pop();
    Some(answers)
}

/// A process that runs `program` with the engine.
fn python(program: &str) -> Option<Child> {
    let Ok(folder) = std::env::var("CHDB") else {
        // Not `eprintln!`, which a passing test hides.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: there is no ClickHouse; `pip install --no-deps --target FOLDER chdb-core` and set CHDB to the folder"
        );
        return None;
    };
    let mut python = Command::new("python3");
    python.args(["-c", program]).env("PYTHONPATH", folder);
    Some(python.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}
