//! Counts and durations, from static memory to a collector, over a real socket and read with the official types.

use automagik_telemetry::{
    Counter, Environment, FeatureUsed, Histogram, Inventory, Label, Metrics, Milliseconds, Schema, Telemetry,
    Timer,
};
use automagik_telemetry_test_support::Receiver;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{AggregationTemporality, Metric, metric, number_data_point};
use prost::Message;
use std::path::Path;
use std::time::Duration;

#[derive(Label, Clone, Copy)]
enum Command {
    List,
    Create,
    Remove,
}

#[derive(Label, Clone, Copy)]
enum Outcome {
    Done,
    Failed,
}

const PATIENCE: Duration = Duration::from_secs(30);

fn telemetry<S: Schema>(home: &Path, collector: &Receiver) -> Telemetry<S> {
    let environment = Environment::at(home)
        .with("AUTOMAGIK_TELEMETRY_ENABLED", "true")
        .with("AUTOMAGIK_TELEMETRY_ENDPOINT", collector.endpoint());
    Telemetry::builder().environment(environment).build().unwrap()
}

/// The metrics of all requests so far. Every byte of them is what prost would have written.
fn received(collector: &Receiver) -> Vec<Metric> {
    let mut metrics = Vec::new();
    for request in collector.requests() {
        assert_eq!(request.path, "/v1/metrics");
        let decoded = ExportMetricsServiceRequest::decode(request.body.as_slice()).unwrap();
        assert!(decoded.encode_to_vec() == request.body, "the bytes are not prost's");
        for resource_metrics in decoded.resource_metrics {
            let resource = resource_metrics.resource.unwrap();
            assert!(resource.attributes.iter().any(|attribute| attribute.key == "app.installation.id"));
            metrics.extend(resource_metrics.scope_metrics.into_iter().flat_map(|scope| scope.metrics));
        }
    }
    metrics
}

fn words(attributes: &[KeyValue]) -> Vec<(&str, &str)> {
    attributes
        .iter()
        .map(|attribute| match attribute.value.as_ref().and_then(|value| value.value.as_ref()) {
            Some(any_value::Value::StringValue(word)) => (attribute.key.as_str(), word.as_str()),
            other => panic!("{other:?}"),
        })
        .collect()
}

/// The sum of all points of counters.
fn total(metrics: &[Metric]) -> i64 {
    let mut total = 0;
    for metric in metrics {
        let Some(metric::Data::Sum(sum)) = &metric.data else { continue };
        for point in &sum.data_points {
            let Some(number_data_point::Value::AsInt(count)) = point.value else { panic!("an integer") };
            assert!(point.start_time_unix_nano < point.time_unix_nano);
            total += count;
        }
    }
    total
}

mod shape {
    use super::*;

    #[derive(Metrics)]
    struct OmniMetrics {
        #[metric(name = "omni.commands", by = "command", and = "outcome")]
        commands: Counter<(Command, Outcome)>,
        #[metric(name = "omni.command.duration", by = "command")]
        duration: Histogram<Command, Milliseconds>,
        #[metric(name = "omni.never")]
        never: Counter<()>,
    }

    #[derive(Schema)]
    #[schema(organization = "automagik", project = "omni", metrics = OmniMetrics)]
    enum Omni {
        Feature(FeatureUsed<Command>),
    }

    #[test]
    fn counters_are_delta_sums_and_durations_are_delta_histograms() {
        let home = tempfile::tempdir().unwrap();
        let collector = Receiver::start();
        let telemetry = telemetry::<Omni>(home.path(), &collector);
        let metrics = OmniMetrics::global();
        metrics.commands.add((Command::Remove, Outcome::Failed));
        for _ in 0..3 {
            metrics.commands.add((Command::List, Outcome::Done));
        }
        for milliseconds in [0, 1, 5, 5, 130, u32::MAX] {
            metrics.duration.record(Command::Create, Milliseconds::new(milliseconds));
        }
        telemetry.flush(PATIENCE).unwrap();
        assert_eq!(collector.requests().len(), 1);
        let received = received(&collector);
        let names: Vec<_> =
            received.iter().map(|metric| (metric.name.as_str(), metric.unit.as_str())).collect();
        assert_eq!(
            names,
            [("omni.commands", "1"), ("omni.command.duration", "ms")],
            "cells of 0 are left out"
        );

        let Some(metric::Data::Sum(sum)) = &received[0].data else { panic!("a sum") };
        assert_eq!(sum.aggregation_temporality(), AggregationTemporality::Delta);
        assert!(sum.is_monotonic);
        let points: Vec<_> =
            sum.data_points.iter().map(|point| (words(&point.attributes), point.value.unwrap())).collect();
        let expected = [
            (vec![("command", "list"), ("outcome", "done")], number_data_point::Value::AsInt(3)),
            (vec![("command", "remove"), ("outcome", "failed")], number_data_point::Value::AsInt(1)),
        ];
        assert_eq!(points, expected);

        let Some(metric::Data::Histogram(histogram)) = &received[1].data else { panic!("a histogram") };
        assert_eq!(histogram.aggregation_temporality(), AggregationTemporality::Delta);
        let [point] = histogram.data_points.as_slice() else { panic!("one point") };
        assert_eq!(words(&point.attributes), [("command", "create")]);
        assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
        assert_eq!(point.explicit_bounds[..8], [0.0, 1.0, 2.0, 3.0, 5.0, 7.0, 11.0, 15.0]);
        assert_eq!((point.count, point.bucket_counts.iter().sum::<u64>()), (6, 6));
        // The class of a value ends at the first bound that is no less than it.
        let class = |value: f64| point.explicit_bounds.partition_point(|bound| *bound < value);
        for (value, count) in [(0.0, 1), (1.0, 1), (5.0, 2), (130.0, 1), (1e9, 1)] {
            assert_eq!(point.bucket_counts[class(value)], count, "{value}");
        }
    }

    #[test]
    fn the_inventory_lists_what_can_be_counted() {
        let inventory = Inventory::of::<Omni>();
        let text = inventory.to_string();
        for part in ["omni.commands (how often)", "one of 2: done, failed", "44 size classes, in ms"] {
            assert!(text.contains(part), "{text}");
        }
        assert!(inventory.markdown().unwrap().contains("| `omni.never` | | how often | 1 |"));
        assert_eq!(inventory.json().unwrap()["metrics"][0]["cells"], 6);
    }

    #[test]
    fn a_host_has_cells_of_four_bytes_sixteen_times_on_lines_of_their_own() {
        let sizes = [
            ("Counter<()>", size_of::<Counter<()>>(), 1),
            ("Counter<(Command, Outcome)>", size_of::<Counter<(Command, Outcome)>>(), 3 * 2),
            ("Histogram<Command, _>", size_of::<Histogram<Command, Milliseconds>>(), 3 * 44),
        ];
        for (name, bytes, cells) in sizes {
            assert_eq!(bytes, 128 + 16 * (4_usize * cells).next_multiple_of(128), "{name}");
        }
    }
}

mod concurrent {
    use super::*;

    #[derive(Metrics)]
    struct Counted {
        #[metric(name = "concurrent.adds", by = "command")]
        adds: Counter<Command>,
    }

    #[derive(Schema)]
    #[schema(organization = "automagik", project = "concurrent", metrics = Counted)]
    enum Concurrent {
        Feature(FeatureUsed<Command>),
    }

    #[test]
    fn a_million_additions_during_flushes_are_counted_exactly() {
        let home = tempfile::tempdir().unwrap();
        let collector = Receiver::start();
        let telemetry = telemetry::<Concurrent>(home.path(), &collector);
        std::thread::scope(|scope| {
            for command in [Command::List, Command::List, Command::Create, Command::Remove] {
                scope.spawn(move || (0..250_000).for_each(|_| Counted::global().adds.add(command)));
            }
            for _ in 0..20 {
                telemetry.flush(PATIENCE).unwrap();
            }
        });
        telemetry.flush(PATIENCE).unwrap();
        assert_eq!(total(&received(&collector)), 1_000_000);
    }
}

mod shards {
    use super::*;
    use automagik_telemetry::aggregate;
    use automagik_telemetry::time::Coarse;

    #[derive(Metrics)]
    struct Sharded {
        #[metric(name = "sharded.adds")]
        adds: Counter<()>,
    }

    #[derive(Schema)]
    #[schema(organization = "automagik", project = "sharded", metrics = Sharded)]
    enum Program {
        Feature(FeatureUsed<Command>),
    }

    #[test]
    fn what_many_threads_count_is_one_count_and_waits_where_there_is_no_room() {
        let barrier = std::sync::Barrier::new(40);
        std::thread::scope(|scope| {
            for _ in 0..40 {
                scope.spawn(|| {
                    barrier.wait(); // all there at once, each with a stack of its own
                    Sharded::global().adds.add(());
                });
            }
        });
        let mut counts = Vec::new();
        for has_room in [false, true, true] {
            aggregate::drain::<Program>(Coarse::from_steps(1), Coarse::from_steps(2), |record| {
                counts.push(record.as_delta().unwrap().count);
                has_room
            });
        }
        assert_eq!(counts, [40, 40]);
    }
}

mod consent {
    use super::*;

    #[derive(Metrics)]
    struct Early {
        #[metric(name = "early.starts")]
        starts: Counter<()>,
    }

    #[derive(Schema)]
    #[schema(organization = "automagik", project = "early", metrics = Early)]
    enum Program {
        Feature(FeatureUsed<Command>),
    }

    #[test]
    fn what_was_counted_before_consent_never_leaves() {
        let home = tempfile::tempdir().unwrap();
        let collector = Receiver::start();
        Early::global().starts.add(());
        let telemetry = telemetry::<Program>(home.path(), &collector);
        telemetry.flush(PATIENCE).unwrap();
        assert_eq!(collector.requests().len(), 0);
    }
}

mod exit {
    use super::*;

    #[derive(Metrics)]
    struct Short {
        #[metric(name = "short.starts")]
        starts: Counter<()>,
        #[metric(name = "short.duration")]
        duration: Histogram<(), Milliseconds>,
    }

    #[derive(Schema)]
    #[schema(organization = "automagik", project = "short", metrics = Short)]
    enum Program {
        Feature(FeatureUsed<Command>),
    }

    #[test]
    fn what_was_counted_until_the_end_is_delivered_by_the_next_run_beside_its_events() {
        let home = tempfile::tempdir().unwrap();
        let collector = Receiver::start();
        for _ in 0..2 {
            let telemetry = telemetry::<Program>(home.path(), &collector);
            telemetry.record(FeatureUsed { feature: Command::List });
            Short::global().starts.add(());
            drop(Timer::start(&Short::global().duration, ()));
        }
        telemetry::<Program>(home.path(), &collector).flush(PATIENCE).unwrap();
        assert_eq!(collector.logs().len(), 2);
        let requests = collector.requests();
        let metrics: Vec<Metric> = requests
            .iter()
            .filter(|request| request.path == "/v1/metrics")
            .flat_map(|request| {
                ExportMetricsServiceRequest::decode(request.body.as_slice()).unwrap().resource_metrics
            })
            .flat_map(|resource| resource.scope_metrics)
            .flat_map(|scope| scope.metrics)
            .collect();
        assert_eq!(total(&metrics), 2);
        let timed: u64 = metrics
            .iter()
            .filter_map(|metric| match &metric.data {
                Some(metric::Data::Histogram(histogram)) => Some(&histogram.data_points),
                _ => None,
            })
            .flatten()
            .map(|point| point.count)
            .sum();
        assert_eq!(timed, 2);
    }
}

mod device {
    use super::*;
    use automagik_telemetry::consent::{Answer, Signals, decide};
    use automagik_telemetry::otlp::{self, Body};
    use automagik_telemetry::record::Records;
    use automagik_telemetry::resource::Resource;
    use automagik_telemetry::time::Coarse;
    use automagik_telemetry::{Pseudonym, Queue, Secret, aggregate, schema};

    #[derive(Metrics)]
    struct Firmware {
        #[metric(name = "firmware.resets", by = "command")]
        resets: Counter<Command>,
        #[metric(name = "firmware.wait")]
        wait: Histogram<(), Milliseconds>,
    }

    #[derive(Schema)]
    #[schema(organization = "automagik", project = "firmware", metrics = Firmware)]
    enum Program {
        Feature(FeatureUsed<Command>),
    }

    fn drain<const N: usize>(queue: &Queue<N>) {
        let (start, end) = (Coarse::from_steps(29_350_800), Coarse::from_steps(29_350_801));
        aggregate::drain::<Program>(start, end, |record| queue.offer(&record).is_ok());
    }

    // One test: the counts are those of the process.
    #[test]
    fn counts_go_through_a_queue_into_a_body_without_allocation_and_wait_where_there_is_no_room() {
        static SMALL: Queue<64> = Queue::new();
        static LARGE: Queue<512> = Queue::new();
        let consent = decide(&Signals { variable: Answer::Yes, ..Signals::default() }).consent().unwrap();
        let pseudonym = Pseudonym::new(&Secret::new([7; 32], consent), "firmware", 0);
        let resource = Resource::new(schema::Checked::<Program>::DESCRIPTOR, pseudonym);
        let firmware = Firmware::global();
        for command in [Command::List, Command::Create, Command::Remove] {
            (0..1_000).for_each(|_| firmware.resets.add(command));
        }
        (0..40).for_each(|exponent| firmware.wait.record((), Milliseconds::new(1 << (exponent % 20))));

        let mut body = [0; 4096];
        let mut resets = 0;
        let mut waits = 0;
        let allocations = allocation_counter::measure(|| {
            for _ in 0..3 {
                drain(&SMALL); // holds but a few: the others stay where they are
            }
            drain(&LARGE);
        });
        assert_eq!(allocations.count_total, 0);
        let (small, large) = (SMALL.batch(100).unwrap(), LARGE.batch(100).unwrap());
        for batch in [&small as &dyn Records, &large] {
            let mut len = 0;
            let allocations = allocation_counter::measure(|| {
                let mut request = otlp::Metrics::new(&resource, batch);
                len = request.len();
                assert_eq!(otlp::to_slice(&mut request, &mut body), Ok(len));
            });
            assert_eq!(allocations.count_total, 0);
            let decoded = ExportMetricsServiceRequest::decode(&body[..len]).unwrap();
            assert!(decoded.encode_to_vec() == body[..len], "the bytes are not prost's");
            let metrics: Vec<Metric> = decoded
                .resource_metrics
                .into_iter()
                .flat_map(|resource| resource.scope_metrics)
                .flat_map(|scope| scope.metrics)
                .collect();
            resets += total(&metrics);
            for metric in &metrics {
                let Some(metric::Data::Histogram(histogram)) = &metric.data else { continue };
                waits += histogram.data_points.iter().map(|point| point.count).sum::<u64>();
            }
        }
        assert_eq!((resets, waits), (3_000, 40));
    }
}
