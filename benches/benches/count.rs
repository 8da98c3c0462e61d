//! Time: `cargo bench --manifest-path benches/aggregate/Cargo.toml --bench time`.

use aggregate::{Command, bare, counter, histogram};
use divan::{Bencher, black_box};
use fast_telemetry::{LabelEnum, LabeledCounter};

#[derive(Clone, Copy, Debug)]
struct Word(Command);

impl LabelEnum for Word {
    const CARDINALITY: usize = 5;
    const LABEL_NAME: &'static str = "command";

    fn as_index(self) -> usize {
        self.0 as usize
    }

    fn from_index(_: usize) -> Self {
        Self(Command::List)
    }

    fn variant_name(self) -> &'static str {
        "list"
    }
}

const TIMES: usize = 100_000;

#[divan::bench(threads = [1, 2])]
fn bare_fetch_add(bencher: Bencher<'_, '_>) {
    bencher.counter(TIMES).bench(|| (0..TIMES).for_each(|_| bare(black_box(Command::Create))));
}

#[divan::bench(threads = [1, 2])]
fn our_counter(bencher: Bencher<'_, '_>) {
    bencher.counter(TIMES).bench(|| (0..TIMES).for_each(|_| counter(black_box(Command::Create))));
}

#[divan::bench(threads = [1, 2])]
fn our_histogram(bencher: Bencher<'_, '_>) {
    bencher.counter(TIMES).bench(|| (0..TIMES).for_each(|_| histogram(black_box(Command::Create), black_box(130))));
}

#[divan::bench(threads = [1, 2])]
fn fast_telemetry_sharded(bencher: Bencher<'_, '_>) {
    let sharded: LabeledCounter<Word> = LabeledCounter::new(2);
    bencher.counter(TIMES).bench(|| (0..TIMES).for_each(|_| sharded.inc(black_box(Word(Command::Create)))));
}

fn main() {
    divan::main();
}
