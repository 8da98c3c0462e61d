//! Every statement of `infra/clickhouse`, in the ClickHouse engine, on what real programs and our encoders send.

#![cfg(unix)]

use automagik_telemetry_core::consent::{Answer, Signals, decide};
use automagik_telemetry_core::otlp::Metrics;
use automagik_telemetry_core::record::Delta;
use automagik_telemetry_core::resource::Resource;
use automagik_telemetry_core::time::Coarse;
use automagik_telemetry_core::{Pseudonym, Record, Secret};
use automagik_telemetry_gateway::tools::simulate::schema;
use automagik_telemetry_test_support::{
    ClickHouse, Receiver, Rotel, at_home, clickhouse_answers, omni, post,
};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point;
use opentelemetry_proto::tonic::resource::v1::Resource as SentResource;
use prost::Message;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const SCHEMA: &str = include_str!("../../infra/clickhouse/schema.sql");
const JSON: &str = include_str!("../../infra/clickhouse/json.sql");
const USERS: &str = include_str!("../../infra/clickhouse/users.sql");
const QUESTIONS: &str = include_str!("../../infra/clickhouse/questions.sql");

fn statements(file: &str) -> Vec<String> {
    file.split("\n;\n").map(str::to_owned).collect()
}

/// Attributes as the Collector's exporter writes them.
fn map(attributes: &[KeyValue]) -> String {
    let pairs = attributes.iter().map(|KeyValue { key, value, .. }| {
        let text = match value.as_ref().unwrap().value.as_ref().unwrap() {
            Value::StringValue(text) => text.replace('\\', "\\\\").replace('\'', "\\'"),
            Value::IntValue(number) => number.to_string(),
            Value::BoolValue(flag) => flag.to_string(),
            other => panic!("{other:?}"),
        };
        format!("'{key}', '{text}'")
    });
    format!("map({})", pairs.collect::<Vec<_>>().join(", "))
}

fn service(resource: &SentResource) -> String {
    let name = resource.attributes.iter().find(|attribute| attribute.key == "service.name").unwrap();
    let Some(Value::StringValue(name)) = &name.value.as_ref().unwrap().value else { panic!("{name:?}") };
    name.clone()
}

/// What a real program sends of these people.
fn logs(people: &[&str]) -> Vec<String> {
    let collector = Receiver::start();
    for who in people {
        let home = tempfile::tempdir().unwrap();
        let mut program = at_home(home.path(), omni());
        program.env("AUTOMAGIK_TELEMETRY_ENABLED", "true");
        program.env("AUTOMAGIK_TELEMETRY_ENDPOINT", collector.endpoint()).args(["instance", "list"]);
        assert!(program.output().unwrap().status.success(), "{who}");
        // The home must be there until the process that it leaves behind has delivered.
        let sent = people.iter().position(|other| other == who).unwrap() + 1;
        assert!(collector.wait_for_logs(Duration::from_secs(30), sent));
    }
    let mut rows = Vec::new();
    for request in collector.requests() {
        for of in ExportLogsServiceRequest::decode(request.body.as_slice()).unwrap().resource_logs {
            let resource = of.resource.unwrap();
            for log in of.scope_logs.into_iter().flat_map(|scope| scope.log_records) {
                rows.push(format!(
                    "(fromUnixTimestamp64Nano({}), '{}', {}, {}, '{}')",
                    log.time_unix_nano,
                    service(&resource),
                    map(&resource.attributes),
                    map(&log.attributes),
                    log.event_name
                ));
            }
        }
    }
    rows
}

/// A request with a counter and a histogram.
fn counted() -> Vec<u8> {
    let yes = decide(&Signals { variable: Answer::Yes, ..Signals::default() }).consent().unwrap();
    let resource = Resource::new(schema(), Pseudonym::new(&Secret::new([7; 32], yes), "simulated", 0));
    let end = Coarse::from_steps(29_900_000);
    let delta = |metric, cell, count| Record::from_delta(&Delta { metric, cell, count, start: end, end });
    let records = [delta(0, 1, 7), delta(1, 0, 20), delta(1, 9, 5)];
    let mut buffer = vec![0; 1 << 16];
    Metrics::encode(&resource, &records, &mut buffer).unwrap().to_vec()
}

/// Inserts of them.
fn metrics() -> Vec<String> {
    let mut statements = Vec::new();
    for of in ExportMetricsServiceRequest::decode(counted().as_slice()).unwrap().resource_metrics {
        let resource = of.resource.unwrap();
        for metric in of.scope_metrics.into_iter().flat_map(|scope| scope.metrics) {
            let head = format!("'{}', {}, '{}'", service(&resource), map(&resource.attributes), metric.name);
            statements.extend(match metric.data.unwrap() {
                Data::Sum(sum) => sum.data_points.iter().map(|point| {
                    let Some(number_data_point::Value::AsInt(count)) = point.value else { panic!("{point:?}") };
                    format!(
                        "INSERT INTO telemetry.otel_metrics_sum (ServiceName, ResourceAttributes, MetricName, Attributes, Value, AggregationTemporality, IsMonotonic)
                         VALUES ({head}, {}, {count}, {}, {})",
                        map(&point.attributes), sum.aggregation_temporality, sum.is_monotonic
                    )
                }).collect::<Vec<_>>(),
                Data::Histogram(histogram) => histogram.data_points.iter().map(|point| {
                    format!(
                        "INSERT INTO telemetry.otel_metrics_histogram (ServiceName, ResourceAttributes, MetricName, Attributes, Count, BucketCounts, ExplicitBounds, AggregationTemporality)
                         VALUES ({head}, {}, {}, {:?}, {:?}, {})",
                        map(&point.attributes), point.count, point.bucket_counts, point.explicit_bounds, histogram.aggregation_temporality
                    )
                }).collect(),
                other => panic!("{other:?}"),
            });
        }
    }
    statements
}

/// A real program and a request with metrics, a collector's exporter, and what is in the tables then.
fn through_a_collector(prefix: &str, is_json: bool) {
    let tables: Vec<String> = [statements(SCHEMA), statements(JSON)].concat();
    let Some(clickhouse) = ClickHouse::start(&tables) else { return };
    let Some(rotel) = Rotel::writing(&clickhouse.endpoint(), "telemetry", prefix, is_json) else { return };
    let home = tempfile::tempdir().unwrap();
    let mut program = at_home(home.path(), omni());
    program.env("AUTOMAGIK_TELEMETRY_ENABLED", "true");
    program.env("AUTOMAGIK_TELEMETRY_ENDPOINT", rotel.endpoint()).args(["instance", "list"]);
    assert!(program.output().unwrap().status.success());
    let endpoint = rotel.endpoint();
    let address = endpoint.trim_start_matches("http://");
    let answer = post(address, "/v1/metrics", "content-type: application/x-protobuf\r\n", &counted());
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let deadline = Instant::now() + Duration::from_secs(60);
    let asked = [
        "SELECT LogAttributes['command'], LogAttributes['success'], length(ResourceAttributes['app.installation.id']) FROM telemetry.otel_logs",
        "SELECT MetricName, Attributes['task'], Class, sum(Count) FROM telemetry.daily_counts GROUP BY ALL ORDER BY ALL",
    ];
    let expected = [
        "omni instance list\ttrue\t32\n",
        "simulated.task.duration\tmeasure\t0\t20\nsimulated.task.duration\tmeasure\t24\t5\nsimulated.tasks\treport\t\\N\t7\n",
    ];
    loop {
        let answers = asked.map(|question| clickhouse.ask(question));
        if answers == expected {
            return;
        }
        assert!(Instant::now() < deadline, "{answers:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn what_a_collector_writes_is_summed_up() {
    through_a_collector("otel", false);
}

#[test]
fn what_a_collector_writes_as_json_is_summed_up_the_same() {
    through_a_collector("otel_json", true);
}

/// Answers to the questions by name, of `project`, after these statements.
fn answers(before: Vec<String>, project: &str) -> Option<BTreeMap<String, String>> {
    let mut all = statements(SCHEMA);
    all.extend(before);
    let parameters =
        [("project", project.to_owned()), ("from", "2020-01-01".to_owned()), ("to", "2099-12-31".to_owned())];
    all.extend(parameters.map(|(name, value)| format!("SET param_{name} = '{value}'")));
    let begin = all.len();
    let questions = statements(QUESTIONS);
    all.extend(questions.iter().cloned());
    let answers = clickhouse_answers(&all)?;
    // The name is the first word of the last comment before the statement.
    let name = |question: &String| {
        let comment = question.lines().rfind(|line| line.starts_with("-- ")).unwrap();
        comment.trim_start_matches("-- ").split(':').next().unwrap().to_owned()
    };
    Some(questions.iter().map(name).zip(answers[begin..].iter().cloned()).collect())
}

#[test]
fn the_questions_answer_what_real_programs_sent() {
    let rows = logs(&["ada", "bob", "cy"]);
    let mut before = vec![format!(
        "INSERT INTO telemetry.otel_logs (Timestamp, ServiceName, ResourceAttributes, LogAttributes, EventName) VALUES {}",
        rows.join(", ")
    )];
    // What the view does once a day, of today.
    before.push(
        "INSERT INTO telemetry.daily_installations SELECT toDate(Arrived), ServiceName, uniqExact(ResourceAttributes['app.installation.id'])
         FROM telemetry.otel_logs GROUP BY ALL"
            .to_owned(),
    );
    let Some(answers) = answers(before, "omni") else { return };
    assert_eq!(answers["events"], "automagik.cli.command\t3\n");
    assert_eq!(answers["systems"], "linux amd64\t3\n");
    assert!(answers["days"].ends_with("\t3\n"), "{answers:?}");
    assert!(
        answers["words"].contains("automagik.cli.command\tcommand\tomni instance list\t3\t{"),
        "{answers:?}"
    );
    assert!(answers["values"].starts_with("automagik.cli.command\tduration_ms\t3\t["), "{answers:?}");
    // Three are fewer than five, whichever duration each took.
    let rare = answers["rare"].lines().map(|line| line.rsplit('\t').next().unwrap().parse::<u32>().unwrap());
    assert_eq!(rare.sum::<u32>(), 3, "{answers:?}");
    assert_eq!((answers["crashes"].as_str(), answers["lost"].as_str()), ("", ""));
}

#[test]
fn the_dashboard_asks_what_the_tables_answer() {
    let dashboard: serde_json::Value =
        serde_json::from_str(include_str!("../../infra/grafana/telemetry.json")).unwrap();
    let mut all = statements(SCHEMA);
    all.push(format!(
        "INSERT INTO telemetry.otel_logs (Timestamp, ServiceName, ResourceAttributes, LogAttributes, EventName) VALUES {}",
        logs(&["ada"]).join(", ")
    ));
    all.extend(metrics());
    let begin = all.len();
    let panels = dashboard["panels"].as_array().unwrap();
    all.extend(panels.iter().map(|panel| {
        let asked = panel["targets"][0]["rawSql"].as_str().unwrap();
        let asked = asked.replace("$__dateFilter(Day)", "Day BETWEEN '2020-01-01' AND '2099-12-31'");
        asked.replace("'${project}'", "'omni'")
    }));
    all.push(dashboard["templating"]["list"][0]["query"].as_str().unwrap().to_owned());
    let Some(answers) = clickhouse_answers(&all) else { return };
    let titles = panels.iter().map(|panel| panel["title"].as_str().unwrap());
    let answers: BTreeMap<&str, &String> = titles.chain(["projects"]).zip(&answers[begin..]).collect();
    assert_eq!(answers["Events"], "automagik.cli.command\t1\n");
    assert!(answers["Words of events"].contains("omni instance list"), "{answers:?}");
    assert_eq!(answers["projects"], "omni\nsimulated\n");
}

#[test]
fn counters_and_classes_are_summed_up() {
    let Some(answers) = answers(metrics(), "simulated") else { return };
    assert!(answers["counters"].ends_with("\t7\n"), "{answers:?}");
    assert!(answers["histograms"].contains("\t25\t["), "{answers:?}");
}

#[test]
fn errors_are_told_of_how_many_events() {
    let row = |name: &str, attributes: &str, count: usize| {
        let row = format!("(now(), 'omni', map(), map({attributes}), '{name}')");
        vec![row; count].join(", ")
    };
    let rows = [
        row("automagik.error", "'error_code', 'OMNI-1001'", 3),
        row("automagik.cli.command", "'success', 'true'", 6),
        row("automagik.cli.command", "'success', 'false'", 1),
    ];
    let insert = format!(
        "INSERT INTO telemetry.otel_logs (Timestamp, ServiceName, ResourceAttributes, LogAttributes, EventName) VALUES {}",
        rows.join(", ")
    );
    let Some(answers) = answers(vec![insert], "omni") else { return };
    assert_eq!(
        answers["errors"],
        "automagik.error\tOMNI-1001\t3\t10\t300\nautomagik.cli.command\tfalse\t1\t7\t142.8\n"
    );
}

#[test]
fn details_go_by_their_arrival_and_sums_stay() {
    let mut all = statements(SCHEMA);
    let row = |name: &str, timestamp: &str, arrived: &str| {
        format!(
            "INSERT INTO telemetry.otel_logs (Timestamp, ServiceName, LogAttributes, EventName, Arrived) VALUES ('{timestamp}', 'omni', map(), '{name}', {arrived})"
        )
    };
    all.extend([
        row("old", "2099-01-01 00:00:00", "now() - INTERVAL 31 DAY"),
        row("new", "1970-01-01 00:00:00", "now()"),
        "OPTIMIZE TABLE telemetry.otel_logs FINAL".to_owned(),
        "SELECT EventName FROM telemetry.otel_logs".to_owned(),
        "SELECT EventName FROM telemetry.daily_words ORDER BY EventName".to_owned(),
    ]);
    let Some(answers) = clickhouse_answers(&all) else { return };
    assert_eq!(answers[answers.len() - 2..], ["new\n", "new\nold\n"]);
}

/// The engine in process has no users, so it only reads these.
#[test]
fn statements_about_users_are_of_the_language() {
    let statements: Vec<String> = statements(USERS)
        .iter()
        .map(|text| format!("SELECT formatQuery('{}')", text.replace('\'', "\\'")))
        .collect();
    let Some(answers) = clickhouse_answers(&statements) else { return };
    assert!(
        answers.iter().all(|answer| answer.starts_with("GRANT") || answer.starts_with("CREATE")),
        "{answers:?}"
    );
}
