//! The queries of docs/CRASHES.md, in ClickHouse, on what our encoders write.

use automagik_telemetry::consent::{Answer, Signals, decide};
use automagik_telemetry::crashes::{Build, CrashReport, Exception, Stack};
use automagik_telemetry::otlp::{Logs, encode_crash};
use automagik_telemetry::resource::Resource;
use automagik_telemetry::schema::Checked;
use automagik_telemetry::time::Coarse;
use automagik_telemetry::{ErrorAt, ErrorCategory, Label, Pseudonym, Record, Schema, Secret};
use automagik_telemetry_symbolize::crashes;
use automagik_telemetry_test_support::{Log, clickhouse, logs};

#[derive(Label, Clone, Copy)]
enum Code {
    #[label("OMNI-1001")]
    Refused,
    #[label("OMNI-1002")]
    Late,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "omni", version = "1.2.3")]
enum Omni {
    Error(ErrorAt<Code>),
}

fn resource(installation: u8) -> Resource {
    let consent = decide(&Signals { variable: Answer::Yes, ..Signals::default() }).consent().unwrap();
    let pseudonym = Pseudonym::new(&Secret::new([installation; 32], consent), "omni", 0);
    Resource::new(Checked::<Omni>::DESCRIPTOR, pseudonym)
}

fn crash(installation: u8, address: u32) -> Vec<Log> {
    let mut stack = Stack::new();
    [address, 0x1b000].into_iter().for_each(|address| stack.push(address));
    let build = Build::gnu(&[7; 20]).unwrap();
    let schema = Checked::<Omni>::DESCRIPTOR;
    let report = CrashReport::new(schema, Exception::UnwrapNone, None, stack, build, 1_761_048_042);
    logs(encode_crash(&resource(installation), &report, &mut [0; 2_048]).unwrap())
}

fn error(installation: u8, error: ErrorAt<Code>) -> Vec<Log> {
    let record = Record::new(&Omni::Error(error), Coarse::from_steps(29_350_800)).unwrap();
    logs(Logs::encode(&resource(installation), &[record], &mut [0; 2_048]).unwrap())
}

/// A map in ClickHouse's words.
fn map<'a>(pairs: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let pairs: Vec<String> =
        pairs.map(|(key, value)| format!("'{key}', '{}'", value.replace('\n', "\\n"))).collect();
    format!("map({})", pairs.join(", "))
}

/// The tables of the Collector's exporter, as far as they are asked for, with what arrived.
fn tables(arrived: &[Log]) -> Vec<String> {
    let rows: Vec<String> = arrived
        .iter()
        .map(|log| format!("('{}', {}, {})", log.event, map(log.attributes.iter()), map(log.resource.iter())))
        .collect();
    vec![
        "CREATE TABLE otel_logs (EventName String, LogAttributes Map(LowCardinality(String), String),
         ResourceAttributes Map(LowCardinality(String), String)) ENGINE = MergeTree ORDER BY EventName"
            .to_owned(),
        "CREATE TABLE otel_metrics_sum (MetricName String, Attributes Map(LowCardinality(String), String),
         TimeUnix DateTime64(9), Value Float64) ENGINE = MergeTree ORDER BY MetricName"
            .to_owned(),
        format!("INSERT INTO otel_logs VALUES {}", rows.join(", ")),
        "INSERT INTO otel_metrics_sum VALUES
         ('automagik.error.count', map('error_code', 'OMNI-1001'), '2025-10-21 12:01:00', 3),
         ('automagik.error.count', map('error_code', 'OMNI-1001'), '2025-10-21 12:59:00', 4),
         ('automagik.error.count', map('error_code', 'OMNI-1002'), '2025-10-21 12:10:00', 2)"
            .to_owned(),
    ]
}

#[test]
fn the_queries_of_the_page_answer_what_they_say() {
    let page = include_str!("../../docs/CRASHES.md");
    let queries =
        page.split("<!-- queries:begin -->").nth(1).unwrap().split("<!-- queries:end -->").next().unwrap();
    let queries: Vec<&str> =
        queries.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let refused = ErrorAt::new(Code::Refused, ErrorCategory::Network);
    let late = ErrorAt::new(Code::Late, ErrorCategory::Timeout);
    let arrived: Vec<Log> = [crash(1, 0x1a2b4), crash(2, 0x1a2b4), crash(2, 0x1a2c0)]
        .into_iter()
        .chain([error(1, refused), error(2, refused), error(2, refused), error(2, late)])
        .flatten()
        .collect();
    let ask = |query: &str| {
        let mut statements = tables(&arrived);
        statements.push(query.to_owned());
        clickhouse(&statements)
    };
    let Some(by_hour) = ask(queries[0]) else { return };
    assert_eq!(by_hour, "2025-10-21 12:00:00\tOMNI-1001\t7\n2025-10-21 12:00:00\tOMNI-1002\t2\n");
    let by_place = ask(queries[1]).unwrap();
    let expected = [("OMNI-1001", refused.place, "3\t2"), ("OMNI-1002", late.place, "1\t1")];
    let expected =
        expected.map(|(code, place, counts)| format!("1.2.3\t{code}\t{}\t{counts}\n", place.get()));
    assert_eq!(by_place, expected.concat());
    let crashes_found = ask(queries[2]).unwrap();
    let first: Vec<&str> = crashes_found.lines().next().unwrap().split('\t').collect();
    assert_eq!(first[1..5], ["1.2.3", "panic.unwrap_none", "2", "2"]);
    // A row in JSON is read by the symbolizer.
    let rows =
        ask("SELECT LogAttributes FROM otel_logs WHERE EventName = 'app.crash' FORMAT JSONEachRow").unwrap();
    assert_eq!(crashes::read(rows.as_bytes()).unwrap().len(), 3);
}
