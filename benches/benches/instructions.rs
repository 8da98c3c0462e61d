//! Instructions, under valgrind: `cargo bench --manifest-path benches/Cargo.toml --bench instructions`.
//! Needs valgrind, and `cargo install gungraun-runner` in the version of the library.

use benches::{Command, bare, counter, histogram};
use gungraun::{library_benchmark, library_benchmark_group, main};
use std::hint::black_box;

const TIMES: usize = 1_000;

#[library_benchmark]
fn bare_fetch_add() {
    (0..TIMES).for_each(|_| bare(black_box(Command::Create)));
}

#[library_benchmark]
fn our_counter() {
    (0..TIMES).for_each(|_| counter(black_box(Command::Create)));
}

#[library_benchmark]
fn our_histogram() {
    (0..TIMES).for_each(|_| histogram(black_box(Command::Create), black_box(130)));
}

library_benchmark_group!(name = add; benchmarks = bare_fetch_add, our_counter, our_histogram);
main!(library_benchmark_groups = add);
