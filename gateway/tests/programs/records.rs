//! Records of the schema of simulated devices, for properties.

use automagik_telemetry_core::loss::Reason;
use automagik_telemetry_core::record::Delta;
use automagik_telemetry_core::time::Coarse;
use automagik_telemetry_core::{
    CommandExecuted, FeatureUsed, HealthStatus, Milliseconds, Record, ServiceHealth,
};
use automagik_telemetry_gateway::tools::simulate::{Simulated, Task};
use proptest::prelude::*;

/// The minute in which they began.
pub(crate) const START: u32 = 29_900_000;

fn task() -> impl Strategy<Value = Task> {
    prop_oneof![Just(Task::Measure), Just(Task::Report), Just(Task::Calibrate), Just(Task::Sleep)]
}

pub(crate) fn record() -> impl Strategy<Value = Record> {
    let event = prop_oneof![
        task().prop_map(|feature| Simulated::Feature(FeatureUsed { feature })),
        (task(), any::<bool>(), any::<u32>()).prop_map(|(command, success, duration)| {
            Simulated::Ran(CommandExecuted { command, success, duration: Milliseconds::new(duration) })
        }),
        task()
            .prop_map(|service| Simulated::Health(ServiceHealth { service, status: HealthStatus::Degraded })),
    ];
    prop_oneof![
        6 => (event, 0_u32..50).prop_map(|(event, time)| Record::new(&event, Coarse::from_steps(START + time)).unwrap()),
        1 => (1_u32..1_000_000, 0_u32..50)
            .prop_map(|(count, time)| Record::dropped(Reason::QueueFull, count, Coarse::from_steps(START + time))),
        2 => (0_usize..2, 0_usize..176, 1_u32..u32::MAX).prop_map(|(metric, cell, count)| {
            let cell = if metric == 0 { cell % 4 } else { cell };
            let (start, end) = (Coarse::from_steps(START + 3), Coarse::from_steps(START + 4));
            Record::from_delta(&Delta { metric, cell, count, start, end })
        }),
    ]
}

/// Puts `records` as a sender has them: what was counted in the order of its cells, one record a cell.
pub(crate) fn in_order(records: &mut Vec<Record>) {
    records.sort_by_key(|record| record.as_delta().map(|delta| (delta.metric, delta.cell)));
    records.dedup_by(|one, other| {
        let cell = |record: &Record| record.as_delta().map(|delta| (delta.metric, delta.cell));
        cell(one).is_some() && cell(one) == cell(other)
    });
}
