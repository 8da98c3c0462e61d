//! Instructions, under valgrind: `cargo bench --manifest-path benches/Cargo.toml --bench instructions`.
//! Needs valgrind, and `cargo install gungraun-runner` in the version of the library.

use automagik_telemetry::Record;
use automagik_telemetry::otlp::Logs;
use automagik_telemetry::resource::Resource;
use benches::event::{records, resource};
use benches::message::{EVENTS, ROOM, build, envelope, message};
use benches::{Command, bare, counter, histogram};
use gungraun::{library_benchmark, library_benchmark_group, main};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use prost::Message;
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

/// What is needed for a request of `count` events.
fn ours(count: u32) -> (Resource, Vec<Record>, Vec<u8>) {
    (resource(), records(count), vec![0; ROOM])
}

#[library_benchmark]
#[bench::of(args = (EVENTS), setup = ours)]
fn ours_records_to_otlp((resource, records, mut room): (Resource, Vec<Record>, Vec<u8>)) {
    black_box(Logs::encode(&resource, &records, &mut room).map(<[u8]>::len)).expect("room");
}

/// A message, and room for its bytes.
fn ready(_: u32) -> (ExportLogsServiceRequest, Vec<u8>) {
    (message(), Vec::with_capacity(ROOM))
}

#[library_benchmark]
#[bench::of(args = (EVENTS), setup = ready)]
fn prost_encode_ready_message((message, mut room): (ExportLogsServiceRequest, Vec<u8>)) {
    message.encode(black_box(&mut room)).expect("room");
}

/// A message without its records, and room for all.
fn empty(_: u32) -> (ExportLogsServiceRequest, Vec<u8>) {
    (envelope(), Vec::with_capacity(ROOM))
}

#[library_benchmark]
#[bench::of(args = (EVENTS), setup = empty)]
fn prost_build_and_encode((envelope, mut room): (ExportLogsServiceRequest, Vec<u8>)) {
    build(&envelope).encode(black_box(&mut room)).expect("room");
}

library_benchmark_group!(name = add; benchmarks = bare_fetch_add, our_counter, our_histogram);
library_benchmark_group!(
    name = encode;
    benchmarks = ours_records_to_otlp, prost_encode_ready_message, prost_build_and_encode
);
main!(library_benchmark_groups = add, encode);
