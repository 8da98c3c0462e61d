//! `telemetry-symbolize`: what a program sent, with files and lines.

use automagik_telemetry_symbolize::program::Program;
use clap::Parser;
use std::io::BufRead;
use std::path::PathBuf;
use std::process::ExitCode;

/// Says which file and line the numbers of places are (`error_place`), for who has the program's file: the one that ran, stripped or not.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The program's file: ELF, PE or Mach-O.
    #[arg(long)]
    program: PathBuf,
    /// Numbers; without any, standard input is read, a number a line.
    places: Vec<u32>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("telemetry-symbolize: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let path = arguments.program.display();
    let bytes =
        std::fs::read(&arguments.program).map_err(|error| format!("{path}: can't be read ({error})"))?;
    let program = Program::read(&bytes).map_err(|error| format!("{path}: {error}"))?;
    let mut is_well = true;
    let mut say = |place: u32| match program.place(place) {
        Ok(found) => println!("{place} {found}"),
        Err(error) => {
            is_well = false;
            eprintln!("telemetry-symbolize: {place} {error}");
        }
    };
    if arguments.places.is_empty() {
        for line in std::io::stdin().lock().lines() {
            let line = line.map_err(|error| format!("standard input: {error}"))?;
            say(line
                .trim()
                .parse()
                .map_err(|_| format!("standard input: `{line}` is no number of a place"))?);
        }
    } else {
        arguments.places.iter().for_each(|place| say(*place));
    }
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
