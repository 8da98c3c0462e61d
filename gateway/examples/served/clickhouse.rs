//! The same rows in ClickHouse, and the same questions, in the same run: where `CHDB` names a folder with the engine (`pip install --no-deps --target FOLDER chdb-core`).

use automagik_telemetry_gateway::known::keys::hex;
use automagik_telemetry_gateway::serve::said::{CLASS, Kind, Said};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is written for it.
pub(crate) struct ClickHouse {
    engine: String,
    folder: PathBuf,
    rows: BufWriter<File>,
}

impl ClickHouse {
    /// One whose files are in `folder`, if there is an engine.
    pub(crate) fn begin(folder: &Path) -> Option<Self> {
        let Ok(engine) = std::env::var("CHDB") else {
            eprintln!("SKIPPED: there is no ClickHouse: set CHDB to its folder to compare with it");
            return None;
        };
        std::fs::create_dir_all(folder).unwrap();
        let rows = BufWriter::new(File::create(folder.join("rows.tsv")).unwrap());
        Some(Self { engine, folder: folder.to_owned(), rows })
    }

    /// Writes what was said at `now`.
    pub(crate) fn write(&mut self, said: &[Said], now: u64) {
        for of in said {
            let (os, architecture) = of.program.system.split_once(' ').unwrap();
            let pseudonym = hex(&of.pseudonym);
            for (tuple, _, count) in &of.counts {
                let (kind, class) = match tuple.kind {
                    Kind::Class => ("class", class(&tuple.attributes)),
                    _ => ("event", 0),
                };
                writeln!(
                    self.rows,
                    "{kind}\t{now}\t{pseudonym}\t{}\t{os}\t{architecture}\t{}\t{}\t{class}\t{count}",
                    of.program.version, tuple.name, tuple.attributes
                )
                .unwrap();
            }
        }
    }

    /// How many milliseconds each question takes.
    pub(crate) fn ask(mut self) -> BTreeMap<String, String> {
        self.rows.flush().unwrap();
        let output = Command::new("python3")
            .args(["-c", include_str!("clickhouse.py")])
            .arg(&self.folder)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/clickhouse"))
            .env("PYTHONPATH", &self.engine)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = String::from_utf8(output.stdout).unwrap();
        lines
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .map(|(name, time)| (name.to_owned(), time.to_owned()))
            .collect()
    }
}

fn class(attributes: &str) -> u64 {
    let attributes: serde_json::Value = serde_json::from_str(attributes).unwrap();
    attributes[CLASS].as_u64().unwrap()
}
