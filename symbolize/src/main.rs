//! `telemetry-symbolize`: what a program sent, with functions, files and lines.

use automagik_telemetry_symbolize::backtrace::{Backtrace, Symbolizer};
use automagik_telemetry_symbolize::builds::Builds;
use automagik_telemetry_symbolize::crashes;
use automagik_telemetry_symbolize::frames::{Frame, Symbols};
use automagik_telemetry_symbolize::program::Program;
use clap::Parser;
use std::collections::HashMap;
use std::io::{BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Turns what a program sent into functions, files and lines, for who has the program's files: those that ran, or their debug files, or both.
///
/// With --program: the numbers of places (`error_place`). With --builds: crashes (`app.crash`), from files of requests, exports or rows, or from standard input; crashes
/// with the same functions are shown once.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The program's file, whose places are given: ELF, PE or Mach-O.
    #[arg(long, conflicts_with = "builds")]
    program: Option<PathBuf>,
    /// The numbers are of instructions: `crash_caller`, and `crash_place` of a fault that is no panic.
    #[arg(long, requires = "program")]
    instructions: bool,
    /// A folder of programs and debug files, of any versions.
    #[arg(long, required_unless_present = "program")]
    builds: Option<PathBuf>,
    /// Writes each crash as a line of JSON.
    #[arg(long, requires = "builds")]
    json: bool,
    /// Shows the language's own functions too.
    #[arg(long, requires = "builds")]
    full: bool,
    /// Writes to this file instead of standard output.
    #[arg(long, requires = "builds")]
    output: Option<PathBuf>,
    /// Numbers of places, or files of crashes; without any, standard input is read.
    inputs: Vec<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match (&arguments.program, &arguments.builds) {
        (Some(program), _) => places(program, &arguments),
        (None, Some(builds)) => backtraces(builds, &arguments),
        (None, None) => Ok(ExitCode::SUCCESS),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("telemetry-symbolize: {error}");
            ExitCode::from(2)
        }
    }
}

/// Says what each number stands for, a line each.
fn places(path: &Path, arguments: &Arguments) -> Result<ExitCode, String> {
    let shown = path.display();
    let bytes = std::fs::read(path).map_err(|error| format!("{shown}: can't be read ({error})"))?;
    Program::read(&bytes).map_err(|error| format!("{shown}: {error}"))?;
    let mut symbols = Symbols::new(&[path.to_owned()]);
    let mut is_well = true;
    let mut say = |text: &str| {
        let number = text.trim().parse().map_err(|_| format!("`{text}` is no number of a place"))?;
        let found = if arguments.instructions {
            symbols.instruction(number, false).map(|frames| inlined(&frames))
        } else {
            symbols.place(number).map(|place| place.to_string())
        };
        match found {
            Ok(found) => println!("{number} {found}"),
            Err(error) => {
                is_well = false;
                eprintln!("telemetry-symbolize: {number} {error}");
            }
        }
        Ok::<(), String>(())
    };
    if arguments.inputs.is_empty() {
        for line in std::io::stdin().lock().lines() {
            say(&line.map_err(|error| format!("standard input: {error}"))?)?;
        }
    } else {
        arguments.inputs.iter().try_for_each(|place| say(place))?;
    }
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Functions that have one address, innermost first, in a line.
fn inlined(frames: &[Frame]) -> String {
    let shown = frames.iter().map(|frame| {
        let at = frame.line.as_ref().map_or_else(String::new, |(file, line)| format!(" at {file}:{line}"));
        format!("{}{at}", frame.function)
    });
    shown.collect::<Vec<_>>().join(", inlined into ")
}

fn backtraces(folder: &Path, arguments: &Arguments) -> Result<ExitCode, String> {
    let shown = folder.display();
    let builds = Builds::read(folder).map_err(|error| format!("{shown}: can't be read ({error})"))?;
    if builds.is_empty() {
        return Err(format!("{shown}: there is no program in it, in ELF, PE or Mach-O"));
    }
    let mut found = Vec::new();
    for (name, bytes) in inputs(&arguments.inputs)? {
        found.extend(crashes::read(&bytes).map_err(|error| format!("{name}: {error}"))?);
    }
    if found.is_empty() {
        return Err("there is no crash in it: none has the attribute `exception.stacktrace`".to_owned());
    }
    let mut output: Box<dyn Write> = match &arguments.output {
        Some(path) => {
            let file = std::fs::File::create(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Box::new(std::io::BufWriter::new(file))
        }
        None => Box::new(std::io::BufWriter::new(std::io::stdout().lock())),
    };
    let mut symbolizer = Symbolizer::new(builds);
    let found = found.into_iter().map(|crash| symbolizer.backtrace(crash));
    let is_known = if arguments.json {
        write_json(found, &mut output)
    } else {
        write_text(found, arguments.full, &mut output)
    };
    let is_known = is_known.and_then(|is_known| output.flush().map(|()| is_known));
    let is_known = is_known.map_err(|error| format!("the output can't be written ({error})"))?;
    Ok(if is_known { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The files of these names, or standard input.
fn inputs(names: &[String]) -> Result<Vec<(String, Vec<u8>)>, String> {
    if names.is_empty() {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map_err(|error| format!("standard input: {error}"))?;
        return Ok(vec![("standard input".to_owned(), bytes)]);
    }
    let read = |name: &String| {
        let bytes = std::fs::read(name).map_err(|error| format!("{name}: can't be read ({error})"))?;
        Ok((name.clone(), bytes))
    };
    names.iter().map(read).collect()
}

fn write_json(found: impl Iterator<Item = Backtrace>, output: &mut dyn Write) -> std::io::Result<bool> {
    let mut is_known = true;
    for backtrace in found {
        is_known &= backtrace.is_known;
        writeln!(output, "{}", backtrace.json())?;
    }
    Ok(is_known)
}

/// Crashes of one group once, the most frequent first.
fn write_text(
    found: impl Iterator<Item = Backtrace>,
    full: bool,
    output: &mut dyn Write,
) -> std::io::Result<bool> {
    let mut groups: HashMap<u64, (usize, Backtrace)> = HashMap::new();
    for backtrace in found {
        groups.entry(backtrace.group()).or_insert((0, backtrace)).0 += 1;
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(group, (count, _))| (core::cmp::Reverse(*count), *group));
    let mut is_known = true;
    for (group, (count, backtrace)) in groups {
        is_known &= backtrace.is_known;
        let crashes = if count == 1 { "crash" } else { "crashes" };
        writeln!(output, "{count} {crashes} of group {group:016x}: {}", backtrace.text(full))?;
    }
    Ok(is_known)
}
