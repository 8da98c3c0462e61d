//! Whole processes against a collector: whatever is recorded arrives once, or is told as lost; counts are streams of one writer; and
//! the host never learns of any of it.

use automagik_telemetry_test_support::sockets::Sockets;
use automagik_telemetry_test_support::{Answer, Disk, Receiver, Streams, at_home, example};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

/// A person's home, and where their programs send.
struct Person {
    home: tempfile::TempDir,
    endpoint: String,
}

impl Person {
    fn new(endpoint: String) -> Self {
        Self { home: tempfile::tempdir().unwrap(), endpoint }
    }

    /// The program `name`, not started yet.
    fn program(&self, name: &'static str) -> Command {
        let mut command = at_home(self.home.path(), example(name));
        command
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("AUTOMAGIK_TELEMETRY_ENABLED", "true")
            .env("AUTOMAGIK_TELEMETRY_ENDPOINT", &self.endpoint);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn probe(&self, arguments: &str) -> Command {
        let mut command = self.program("probe");
        command.args(arguments.split(' '));
        command
    }

    fn run(&self, arguments: &str) {
        assert!(self.probe(arguments).status().unwrap().success(), "{arguments}");
    }

    /// A shell that does `script`, in which `"$@"` is the probe with `arguments`.
    #[cfg(unix)]
    fn shell(&self, script: &str, arguments: &str) -> std::process::Output {
        let mut command = at_home(self.home.path(), "sh");
        command.args(["-c", script, "sh"]).arg(example("probe")).args(arguments.split(' '));
        command
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("AUTOMAGIK_TELEMETRY_ENABLED", "true")
            .env("AUTOMAGIK_TELEMETRY_ENDPOINT", &self.endpoint)
            .output()
            .unwrap()
    }

    fn spool(&self, project: &str) -> PathBuf {
        self.home.path().join(".local/state/automagik-telemetry").join(project).join("spool")
    }

    /// Segments that wait.
    fn waiting(&self) -> usize {
        let files = std::fs::read_dir(self.spool("probe")).into_iter().flatten().flatten();
        let is_segment =
            |name: &str| [".logs", ".counts", ".points", ".losses"].iter().any(|end| name.ends_with(end));
        files.filter(|file| is_segment(&file.file_name().to_string_lossy())).count()
    }

    /// Lets programs run that wait, until nothing is left.
    fn deliver(&self) {
        // Each run delivers some of it; under an emulator, on a machine that does other work, a few.
        let until = Instant::now() + 8 * PATIENCE;
        while self.waiting() > 0 {
            assert!(Instant::now() < until, "{} segments are left", self.waiting());
            self.run("1000 0 wait");
        }
    }
}

/// How often each event was delivered, and how many are told as lost.
fn account(collector: &Receiver) -> (BTreeMap<(u32, u32), u32>, u32) {
    let (mut delivered, mut told) = (BTreeMap::new(), 0);
    for log in collector.logs() {
        let number = |key: &str| log.attribute(key).parse::<u32>().unwrap();
        match log.event.as_str() {
            "probe.step" => *delivered.entry((number("process"), number("sequence"))).or_default() += 1,
            _ => told += number("count"),
        }
    }
    (delivered, told)
}

/// Each of `recorded` events arrived once or is told as lost; gives how many are.
fn assert_exact(collector: &Receiver, recorded: u32) -> u32 {
    let (delivered, told) = account(collector);
    let twice = delivered.values().filter(|times| **times > 1).count();
    assert_eq!((delivered.len() as u32 + told, twice), (recorded, 0), "{told} are told");
    told
}

/// What all metrics say, held to the data model.
fn streams(collector: &Receiver) -> Streams {
    let mut streams = Streams::new();
    let requests = collector.requests();
    requests
        .iter()
        .filter(|request| request.path == "/v1/metrics")
        .for_each(|request| streams.take(&request.body));
    streams
}

#[test]
fn however_many_come_at_once_each_arrives_or_is_told() {
    for count in [100_000, 1_000_000] {
        let collector = Receiver::start();
        let person = Person::new(collector.endpoint());
        person.run(&format!("1 {count}"));
        person.run("2 1");
        person.deliver();
        // A fast machine may drop none of the hundred thousand; a million are more than the spool has room for.
        let dropped = assert_exact(&collector, count + 1);
        assert!(dropped > 0 || count < 1_000_000);
        let streams = streams(&collector);
        let told = u64::from(count) + 1;
        assert_eq!((streams.sum("probe.calls"), streams.sum("probe.time")), (told, told));
    }
}

#[test]
fn a_collector_that_is_slow_or_away_changes_nothing_in_the_sum() {
    let collector = Receiver::deciding(|_| {
        std::thread::sleep(Duration::from_millis(20));
        Answer::status(200)
    });
    let person = Person::new(collector.endpoint());
    person.run("1 6000 linger=300");
    person.run("2 6000 linger=300");
    person.deliver();
    assert_exact(&collector, 12_000);

    let port = Receiver::start().port();
    let person = Person::new(format!("http://127.0.0.1:{port}"));
    person.run("1 20000 linger=1500");
    person.run("2 300000 linger=300");
    let collector = Receiver::on(port, |_| Answer::status(200));
    person.deliver();
    assert!(assert_exact(&collector, 320_000) > 0);
    assert_eq!(streams(&collector).sum("probe.calls"), 320_000);
}

#[test]
fn a_batch_that_is_refused_is_told_with_all_that_it_stands_for() {
    let refusing = Receiver::answering(|_| Answer::status(400));
    let port = refusing.port();
    let person = Person::new(refusing.endpoint());
    person.run("1 250 wait");
    drop(refusing);
    let collector = Receiver::on(port, |_| Answer::status(200));
    person.run("2 1 wait");
    person.deliver();
    // 250 events, and 250 additions to each of two metrics.
    let (delivered, told) = account(&collector);
    assert_eq!((delivered.len(), told), (1, 750));
}

/// `count` processes at once, each of which ends while requests are under way.
fn processes_that_end(count: u32) {
    let collector = Receiver::start();
    let person = Person::new(collector.endpoint());
    let linger = [0, 30, 60, 90, 120];
    let mut running: Vec<Child> = Vec::new();
    for process in 1..=count {
        let linger = linger[process as usize % linger.len()];
        running.push(person.probe(&format!("{process} 50 linger={linger}")).spawn().unwrap());
        if running.len() == 100 {
            running.drain(..).for_each(|mut child| assert!(child.wait().unwrap().success()));
        }
    }
    running.drain(..).for_each(|mut child| assert!(child.wait().unwrap().success()));
    person.deliver();
    assert_eq!(assert_exact(&collector, count * 50), 0);
    assert_eq!(streams(&collector).sum("probe.calls"), u64::from(count) * 50);
}

#[test]
fn processes_that_end_by_themselves_repeat_nothing() {
    processes_that_end(100);
}

#[test]
#[ignore = "the long form of the test above"]
fn five_hundred_processes_that_end_by_themselves_repeat_nothing() {
    processes_that_end(500);
}

#[test]
fn processes_that_are_killed_repeat_one_batch_each_at_most() {
    let collector = Receiver::start();
    let person = Person::new(collector.endpoint());
    let mut random = 0x2545_F491_u32;
    for process in 1..=60 {
        let mut child = person.probe(&format!("{process} 150 linger=5000")).spawn().unwrap();
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        std::thread::sleep(Duration::from_micros(u64::from(random % 120_000)));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    person.deliver();
    let again: u32 = account(&collector).0.values().map(|times| times - 1).sum();
    assert!(again <= 60 * 100, "{again} came again");
}

#[test]
fn what_short_runs_counted_is_one_stream() {
    let collector = Receiver::start();
    let person = Person::new(collector.endpoint());
    (1..=6).for_each(|process| person.run(&format!("{process} 300")));
    person.run("7 1 wait");
    person.deliver();
    let metrics: Vec<_> =
        collector.requests().into_iter().filter(|request| request.path == "/v1/metrics").collect();
    assert!(metrics.len() <= 2, "six runs are merged: {} requests", metrics.len());
    assert_eq!(streams(&collector).sum("probe.calls"), 1_801);
}

mod readme {
    use super::*;

    fn five_runs_arrive(person: &Person, collector: &Receiver, program: &'static str) {
        for _ in 0..5 {
            assert!(person.program(program).status().unwrap().success());
        }
        assert!(collector.wait_for_logs(PATIENCE, 5), "{} arrived", collector.logs().len());
    }

    #[test]
    fn the_first_example_is_what_stands_in_the_readme() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let example = std::fs::read_to_string(root.join("examples/first.rs")).unwrap();
        let (_, code) = example.split_once("\n\n").unwrap();
        let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
        assert!(readme.contains(&format!("```rust\n{code}```")), "README.md has another one");
    }

    #[test]
    fn five_runs_of_the_first_example_arrive_without_another_line_of_code() {
        let collector = Receiver::start();
        five_runs_arrive(&Person::new(collector.endpoint()), &collector, "first");
    }

    #[test]
    fn so_they_do_inside_a_runtime() {
        let collector = Receiver::start();
        five_runs_arrive(&Person::new(collector.endpoint()), &collector, "first_in_tokio");
    }

    #[test]
    fn so_they_do_where_the_home_is_read_only() {
        let Some(disk) = Disk::mount("ro") else { return };
        let collector = Receiver::start();
        for program in ["first", "first_in_tokio"] {
            let person = Person::new(collector.endpoint());
            for _ in 0..5 {
                assert!(person.program(program).env("HOME", disk.path()).status().unwrap().success());
            }
        }
        assert_eq!(collector.logs().len(), 10, "each arrived before its run was over");
    }

    #[test]
    fn a_volume_keeps_what_a_container_that_is_new_each_time_would_lose() {
        let (volume, collector) = (tempfile::tempdir().unwrap(), Receiver::start());
        for _ in 0..3 {
            // Each run has a home of its own.
            let person = Person::new(collector.endpoint());
            assert!(
                person
                    .program("first")
                    .env("AUTOMAGIK_TELEMETRY_STATE_DIR", volume.path())
                    .status()
                    .unwrap()
                    .success()
            );
        }
        assert!(collector.wait_for_logs(PATIENCE, 3));
        let identities: std::collections::BTreeSet<String> =
            collector.logs().iter().map(|log| log.resource["app.installation.id"].clone()).collect();
        assert_eq!(identities.len(), 1, "it is one installation");
    }
}

#[cfg(unix)]
mod host {
    use super::*;
    use automagik_telemetry_test_support::sockets::read_request;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_limit_on_the_size_of_files_ends_no_program_and_its_events_arrive() {
        let collector = Receiver::start();
        let person = Person::new(collector.endpoint());
        let output = person.shell(r#"ulimit -f 0; exec "$@""#, "1 50 linger=300");
        assert!(output.status.success(), "{output:?}");
        assert_exact(&collector, 50);
    }

    #[test]
    fn a_home_that_is_none_is_not_made() {
        let (folder, collector) = (tempfile::tempdir().unwrap(), Receiver::start());
        let person = Person::new(collector.endpoint());
        let missing = folder.path().join("missing/home");
        for home in [Path::new("relative"), &missing] {
            let mut probe = person.probe("1 5");
            assert!(probe.current_dir(folder.path()).env("HOME", home).status().unwrap().success());
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert_eq!(account(&collector).0.values().sum::<u32>(), 10, "delivered from memory");
    }

    #[test]
    fn a_umask_that_takes_everything_leaves_the_owner_their_files() {
        let collector = Receiver::start();
        let person = Person::new(collector.endpoint());
        assert!(person.shell(r#"umask 0777; exec "$@""#, "1 5").status.success());
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let spool = person.spool("probe");
        assert_eq!(mode(&spool), 0o700);
        for file in std::fs::read_dir(&spool).unwrap() {
            let path = file.unwrap().path();
            assert!(matches!(mode(&path), 0o600), "{}: {:o}", path.display(), mode(&path));
        }
        person.deliver();
        assert_exact(&collector, 5);
    }

    #[test]
    fn closed_descriptors_and_a_folder_that_is_gone_change_nothing() {
        let collector = Receiver::start();
        let person = Person::new(collector.endpoint());
        assert!(person.shell(r#"exec "$@" <&- >&- 2>&-"#, "1 5").status.success());
        let script = r#"cd "$(mktemp -d)"; rmdir "$PWD"; exec "$@""#;
        assert!(person.shell(script, "2 5 background").status.success());
        person.deliver();
        assert_exact(&collector, 10);
    }

    #[test]
    fn where_all_descriptors_are_in_use_for_a_while_nothing_is_lost() {
        let collector = Receiver::start();
        let person = Person::new(collector.endpoint());
        let output = person.shell(r#"ulimit -n 64; exec "$@""#, "1 5 hold=1500 linger=1500");
        assert!(output.status.success(), "{output:?}");
        person.deliver();
        assert_exact(&collector, 10);
    }

    #[test]
    fn nobodys_environment_ends_a_program() {
        let collector = Receiver::start();
        let person = Person::new(collector.endpoint());
        for value in ["0", "1", "", "00000000000000000000000000000000"] {
            let mut probe = person.probe("1 5 background");
            let output = probe
                .env("AUTOMAGIK_TELEMETRY_UPLOAD_AND_EXIT", value)
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
                .wait_with_output()
                .unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), "recorded\n", "{value:?}");
        }
    }

    #[test]
    fn a_process_that_was_left_behind_does_not_do_the_programs_work_whatever_was_answered_since() {
        let collector = Receiver::start();
        let person = Person::new(collector.endpoint());
        let token = "0123456789abcdef0123456789abcdef";
        let input = person.home.path().join("input");
        std::fs::write(&input, token).unwrap();
        for answer in ["true", "false", "perhaps"] {
            let mut probe = person.probe("1 5 background");
            probe
                .env("AUTOMAGIK_TELEMETRY_ENABLED", answer)
                .env("AUTOMAGIK_TELEMETRY_UPLOAD_AND_EXIT", token);
            let output = probe.stdin(std::fs::File::open(&input).unwrap()).output().unwrap();
            assert!(output.status.success() && output.stdout.is_empty(), "{answer}: {output:?}");
        }
        assert_eq!(collector.logs().len(), 0);
    }

    /// A collector that takes a request and never answers.
    fn black_hole() -> Sockets {
        Sockets::start(|_, connection| {
            read_request(connection);
            read_request(connection); // until the other side gives up
        })
    }

    #[test]
    fn a_process_that_is_left_behind_is_no_zombie() {
        let collector = Receiver::start();
        let person = Person::new(collector.endpoint());
        let mut child = person.probe("1 5 background drop linger=30000").spawn().unwrap();
        assert!(collector.wait_for_logs(PATIENCE, 5), "it delivers while its parent lives");
        let stat = format!("/proc/{0}/task/{0}/children", child.id());
        let until = Instant::now() + PATIENCE;
        // It ends, and then it is gone.
        while !std::fs::read_to_string(&stat).unwrap().trim().is_empty() {
            assert!(Instant::now() < until, "a zombie is left");
            std::thread::sleep(Duration::from_millis(20));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_process_that_is_left_behind_holds_nothing_that_it_inherited() {
        let hole = black_hole();
        let person = Person::new(hole.endpoint());
        let started = Instant::now();
        // `cat` ends when nobody holds the pipe any more; what is left behind lives for a minute.
        let output = person.shell(r#"("$@" 3>&1 >/dev/null; true) | cat"#, "1 200 background");
        assert!(output.status.success());
        assert!(hole.wait_for_connection(PATIENCE), "nobody was left behind");
        assert!(started.elapsed() < Duration::from_secs(50), "the pipe was held");
    }

    #[test]
    fn a_process_that_is_left_behind_leaves_none_behind_for_what_a_collector_refuses() {
        let collector = Receiver::answering(|_| Answer::status(400));
        let person = Person::new(collector.endpoint());
        person.run("1 5 background");
        assert!(collector.wait(PATIENCE, |requests| !requests.is_empty()), "nobody was left behind");
        std::thread::sleep(Duration::from_secs(3));
        // The events, and what was counted.
        assert!(collector.requests().len() <= 3, "{} requests", collector.requests().len());
    }

    #[test]
    fn a_child_that_the_host_forks_holds_nothing() {
        let port = Receiver::start().port();
        let person = Person::new(format!("http://127.0.0.1:{port}"));
        // Its worker waits to try again when the host forks, and is then killed.
        let mut parent = person.probe("1 150 fork=700 linger=60000").spawn().unwrap();
        std::thread::sleep(Duration::from_millis(1_200));
        parent.kill().unwrap();
        parent.wait().unwrap();
        let collector = Receiver::on(port, |_| Answer::status(200));
        person.run("2 5 wait");
        person.deliver();
        assert_exact(&collector, 155);
    }
}

mod collectors {
    use super::*;

    #[test]
    fn a_wait_that_a_collector_asks_for_is_kept_by_the_next_run() {
        for seconds in ["315360000", "31536000031536000031536000"] {
            let collector = Receiver::answering(move |_| Answer::status(503).header("retry-after", seconds));
            let person = Person::new(collector.endpoint());
            person.run("1 150 linger=1500");
            assert_eq!(collector.requests().len(), 1);
            person.run("2 150 linger=1500");
            assert_eq!(collector.requests().len(), 1, "{seconds}: the next run asked again");
        }
    }

    #[test]
    fn what_was_recorded_for_one_collector_never_goes_to_another() {
        let (mine, other) = (Receiver::start(), Receiver::start());
        let person = Person::new(mine.endpoint());
        person.run("1 5");
        let mut probe = person.probe("2 5 wait");
        assert!(probe.env("AUTOMAGIK_TELEMETRY_ENDPOINT", other.endpoint()).status().unwrap().success());
        assert_exact(&other, 5);
        assert_eq!(mine.logs().len(), 0);
        person.deliver();
        assert_exact(&mine, 5);
        assert!(account(&mine).0.keys().all(|(process, _)| *process == 1));
    }

    /// A SOCKS5 proxy (RFC 1928) that leads every name to `port` on this machine.
    fn socks5(port: u16) -> Sockets {
        use std::io::{Read, Write};
        Sockets::start(move |_, connection| {
            let mut greeting = [0; 3];
            connection.read_exact(&mut greeting).unwrap();
            assert_eq!(greeting, [5, 1, 0], "version 5, no authentication");
            connection.write_all(&[5, 0]).unwrap();
            let mut head = [0; 5];
            connection.read_exact(&mut head).unwrap();
            assert_eq!(head[..4], [5, 1, 0, 3], "connect to a name");
            connection.read_exact(&mut vec![0; usize::from(head[4]) + 2]).unwrap();
            connection.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0]).unwrap();
            let mut collector = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
            let (mut from, mut to) = (collector.try_clone().unwrap(), connection.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
            let _ = std::io::copy(connection, &mut collector);
        })
    }

    #[test]
    fn a_socks_proxy_is_used() {
        let collector = Receiver::start();
        let proxy = socks5(collector.port());
        let person = Person::new("http://collector.example".to_owned());
        let mut probe = person.probe("1 5 wait");
        probe.env("ALL_PROXY", format!("socks5h://127.0.0.1:{}", proxy.port()));
        assert!(probe.status().unwrap().success());
        assert_exact(&collector, 5);
    }

    #[test]
    fn more_refused_than_were_sent_is_all_of_them() {
        // ExportLogsServiceResponse { partial_success { rejected_log_records } }
        for (rejected, told) in [(vec![0x80, 0x80, 0x80, 0x80, 0x10], 10), (vec![7], 7)] {
            let mut body = vec![0x0A, rejected.len() as u8 + 1, 0x08];
            body.extend(rejected);
            let collector = Receiver::answering(move |n| {
                if n == 0 { Answer::status(200).body(body.clone()) } else { Answer::status(200) }
            });
            let person = Person::new(collector.endpoint());
            person.run("1 10 wait");
            assert_eq!(account(&collector).1, told);
        }
    }
}
