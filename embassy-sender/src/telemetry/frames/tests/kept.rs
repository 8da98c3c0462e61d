//! The same with flash: what no gateway hears is kept there, whatever becomes of the power.

use super::*;

/// Sends everything that is left over a good line, and returns the numbers that arrived in all, in order.
fn finish(gateway: &RefCell<Gateway>, flash: &mut Flash, is_done: impl Fn(&Gateway) -> bool) -> Vec<u64> {
    gateway.borrow_mut().fates.clear();
    flash.left = usize::MAX;
    let telemetry = Telemetry::<Device, 2048>::new();
    telemetry.start(consent());
    telemetry.record(FeatureUsed { feature: Word::One });
    run_from(&telemetry, gateway, Some(flash), |frames| frames, is_done);
    numbers(&gateway.borrow())
}

/// The numbers that arrived, in order.
fn numbers(gateway: &Gateway) -> Vec<u64> {
    gateway.records.iter().filter(|record| record.event() == 2).map(Record::bits).collect()
}

fn number<const N: usize>(telemetry: &Telemetry<Device, N>, numbers: core::ops::Range<u32>) {
    telemetry.start(consent());
    numbers.for_each(|number| telemetry.record(Numbered { number: Count::new(number) }));
}

#[test]
fn what_no_gateway_hears_is_kept_in_flash_and_sent_after_a_reset_byte_for_byte() {
    let (gateway, mut flash) = (RefCell::new(Gateway::default()), Flash::new());
    // Nothing arrives in the first life.
    gateway.borrow_mut().fates = std::vec![(false, false); 1_000];
    let telemetry = Telemetry::<Device, 2048>::new();
    number(&telemetry, 0..30);
    run_from(&telemetry, &gateway, Some(&mut flash), |frames| frames, |_| telemetry.is_empty());
    assert_eq!(gateway.borrow().records.len(), 0);
    drop(telemetry);
    let arrived = finish(&gateway, &mut flash, |gateway| features(gateway).len() == 1);
    assert_eq!(arrived, (0..30).collect::<Vec<u64>>());
    // Two boots spoke, the first by what it had sealed.
    assert_eq!(gateway.borrow().known.len(), 2);
}

#[test]
fn a_gateway_that_forgot_is_told_who_sealed_what_is_in_flash() {
    let (gateway, mut flash) = (RefCell::new(Gateway::default()), Flash::new());
    gateway.borrow_mut().fates = std::vec![(false, false); 1_000];
    let telemetry = Telemetry::<Device, 2048>::new();
    number(&telemetry, 0..60);
    run_from(&telemetry, &gateway, Some(&mut flash), |frames| frames, |_| telemetry.is_empty());
    // After the hello and a frame or two.
    gateway.borrow_mut().forgets_after = Some(3);
    let arrived = finish(&gateway, &mut flash, |gateway| features(gateway).len() == 1);
    assert_eq!(arrived, (0..60).collect::<Vec<u64>>());
}

#[test]
fn a_no_erases_what_was_sealed() {
    let (gateway, mut flash) = (RefCell::new(Gateway::default()), Flash::new());
    gateway.borrow_mut().fates = std::vec![(false, false); 1_000];
    let telemetry = Telemetry::<Device, 2048>::new();
    number(&telemetry, 0..30);
    run_from(&telemetry, &gateway, Some(&mut flash), |frames| frames, |_| telemetry.is_empty());
    telemetry.withdraw();
    let started = Instant::now();
    let is_over = |_: &Gateway| started.elapsed() > Duration::from_millis(20);
    run_from(&telemetry, &gateway, Some(&mut flash), |frames| frames, is_over);
    assert_eq!(finish(&gateway, &mut flash, |gateway| features(gateway).len() == 1), []);
}

#[test]
fn where_flash_is_full_records_wait_and_what_finds_no_room_is_told() {
    let (gateway, mut flash) = (RefCell::new(Gateway::default()), Flash::new());
    gateway.borrow_mut().fates = std::vec![(false, false); 1_000];
    let telemetry = Telemetry::<Device, 256>::new();
    number(&telemetry, 0..20);
    let started = Instant::now();
    let next = core::cell::Cell::new(20);
    let more = |_: &Gateway| {
        let first = next.get();
        if first < 600 {
            number_more(&telemetry, first..first + 20);
            next.set(first + 20);
        }
        started.elapsed() > Duration::from_millis(100)
    };
    run_from(&telemetry, &gateway, Some(&mut flash), |frames| frames, more);
    let recorded = u64::from(next.get());
    gateway.borrow_mut().fates.clear();
    let told = |gateway: &Gateway| -> u64 {
        gateway.records.iter().filter_map(Record::loss).map(|(_, count)| u64::from(count)).sum()
    };
    let is_whole = |gateway: &Gateway| numbers(gateway).len() as u64 + told(gateway) == recorded;
    run_from(&telemetry, &gateway, Some(&mut flash), |frames| frames, is_whole);
    let mut arrived = numbers(&gateway.borrow());
    assert!(told(&gateway.borrow()) > 0 && arrived.len() > 40, "{}", arrived.len());
    arrived.dedup();
    assert_eq!(arrived.len() as u64 + told(&gateway.borrow()), recorded, "each once");
}

fn number_more<const N: usize>(telemetry: &Telemetry<Device, N>, numbers: core::ops::Range<u32>) {
    numbers.for_each(|number| telemetry.record(Numbered { number: Count::new(number) }));
}

/// A device that loses its power again and again, in the middle of a write or anywhere else, on a line that loses frames and answers: no number seals two
/// frames ([`Gateway::take`]), no record arrives twice, and none is lost that had left the queue.
fn lives(count: u32, seed: u64) {
    let mut random = seed;
    let mut below = move |limit: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % limit
    };
    let (gateway, mut flash) = (RefCell::new(Gateway::default()), Flash::new());
    let (mut next, mut safe) = (0_u32, Vec::new());
    for _ in 0..count {
        let is_away = below(3) == 0;
        gateway.borrow_mut().fates =
            (0..200).map(|_| (!is_away && below(5) > 0, !is_away && below(5) > 0)).collect();
        flash.left = if below(2) == 0 { below(200) as usize } else { usize::MAX };
        let telemetry = Telemetry::<Device, 512>::new();
        let first = next;
        next += below(40) as u32;
        number(&telemetry, first..next);
        let (started, life) = (Instant::now(), Duration::from_millis(below(12)));
        run_from(&telemetry, &gateway, Some(&mut flash), |frames| frames, |_| started.elapsed() > life);
        // What is still in the queue is lost with its memory: the newest.
        let waits = telemetry.queue.len();
        safe.extend(u64::from(first)..u64::from(next - waits.min(next - first)));
    }
    let arrived = finish(&gateway, &mut flash, |gateway| features(gateway).len() == 1);
    let mut once = arrived.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), arrived.len(), "a record arrived twice");
    let lost: Vec<u64> = safe.iter().copied().filter(|number| once.binary_search(number).is_err()).collect();
    assert_eq!(lost, [], "of {} that had left the queue", safe.len());
    assert!(safe.len() as u32 > next / 10, "{} of {next}", safe.len());
}

#[test]
fn a_device_that_loses_its_power_a_hundred_times_seals_no_number_twice_and_loses_nothing_that_was_kept() {
    (0..4).for_each(|seed| lives(25, seed));
}

/// `cargo test -p automagik-telemetry-embassy --features frames --release -- --ignored lives`: some minutes.
#[test]
#[ignore = "ten thousand lives"]
fn a_device_that_lives_ten_thousand_lives_seals_no_number_twice() {
    (0..100).for_each(|seed| lives(100, 1_000 + seed));
}
