//! Processes that append and deliver, and are killed at any moment.

use super::*;
use std::io::Write;

const CHILD: &str = "SPOOL_TEST_CHILD";

/// A process of the test below, which kills it: appends, or delivers, and says so when it is done.
#[test]
#[ignore = "does nothing unless another test starts it"]
fn child() {
    let Ok(task) = std::env::var(CHILD) else { return };
    let (start, state) = task.split_once(' ').unwrap();
    let spool = spool(Path::new(state));
    let mut output = io::stdout();
    if let Ok(start) = start.parse::<u32>() {
        for number in start..start + NUMBERS {
            append(&spool, number..number + 1);
            writeln!(output, "committed {number}").unwrap();
        }
    }
    loop {
        let Some(turn) = spool.turn().unwrap() else { continue };
        let Some(batch) = turn.next(Checked::<App>::DESCRIPTOR, NOW, BATCH_RECORDS_MAX, true).unwrap() else {
            continue;
        };
        let numbers: Vec<String> =
            batch.records.iter().map(|record| record.time().steps().to_string()).collect();
        assert!(batch.records.iter().all(|record| record.loss().is_none()));
        writeln!(output, "delivered {}", numbers.join(" ")).unwrap();
        turn.commit(&batch, &Losses::new(), NOW).unwrap();
    }
}

/// Most numbers of one process.
const NUMBERS: u32 = 1_000;

/// Wine's "internal error", which it has now and then where many programs start and end.
const INTERNAL_ERROR: i32 = 1359;

fn start_child(task: &str, state: &Path) -> std::process::Child {
    loop {
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kept::spool::tests::killed::child", "--ignored", "--nocapture", "--quiet"])
            .env(CHILD, format!("{task} {}", state.display()))
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn();
        match child {
            Err(error) if cfg!(windows) && error.raw_os_error() == Some(INTERNAL_ERROR) => {}
            child => return child.unwrap(),
        }
    }
}

/// Two that append and one that delivers, killed at a random moment, again and again.
fn kill(rounds: u32) {
    let state = tempfile::tempdir().unwrap();
    let spool = spool(state.path());
    let mut random = 0x2545_F491_u32;
    let mut delivered = std::collections::BTreeMap::<u32, u32>::new();
    let mut committed = Vec::new();
    for round in 0..rounds {
        let first = 1 + round * 2 * NUMBERS;
        let tasks = [first.to_string(), (first + NUMBERS).to_string(), "deliver".to_owned()];
        let mut children: Vec<_> = tasks.iter().map(|task| start_child(task, state.path())).collect();
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        // A process takes some twenty times as long to start under Wine.
        let longest = if cfg!(windows) { 600_000 } else { 30_000 };
        std::thread::sleep(std::time::Duration::from_micros(u64::from(random % longest)));
        for child in &mut children {
            child.kill().unwrap();
        }
        for child in children {
            let output = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
            // What was cut off was not said.
            for line in output.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
                let Some((said, numbers)) = line.trim().split_once(' ') else { continue };
                let numbers = numbers.split(' ').filter_map(|number| number.parse::<u32>().ok());
                match said {
                    "committed" => committed.extend(numbers),
                    "delivered" => numbers.for_each(|number| *delivered.entry(number).or_default() += 1),
                    _ => {}
                }
            }
        }
        let (rest, losses) = drain(&spool);
        assert_eq!(losses, [], "round {round}");
        rest.into_iter().for_each(|number| *delivered.entry(number).or_default() += 1);
    }
    let lost: Vec<_> = committed.iter().filter(|number| !delivered.contains_key(number)).collect();
    assert_eq!(lost, [&0; 0], "of {}", committed.len());
    let again = delivered.values().filter(|times| **times > 1).count();
    assert!(again <= rounds as usize * 3 * BATCH_RECORDS_MAX, "{again} of {} came twice", delivered.len());
    assert!(committed.len() > rounds as usize, "{} were committed: nothing was tested", committed.len());
    writeln!(
        io::stderr(),
        "{rounds} rounds, {} processes killed: {} committed, 0 lost, {again} delivered twice",
        rounds * 3,
        committed.len()
    )
    .unwrap();
}

#[test]
fn processes_that_are_killed_lose_nothing_that_was_committed() {
    kill(if cfg!(windows) { 5 } else { 25 });
}

#[test]
#[ignore = "the long form of the test above: about half a minute"]
fn hundreds_of_rounds_of_processes_that_are_killed() {
    kill(if cfg!(windows) { 200 } else { 500 });
}
