//! What `serve` keeps, with a clock of its own: what is deleted is nowhere, what is shown was said by enough, and answers are what was said.

use automagik_telemetry_gateway::serve::days::{self, DAY};
use automagik_telemetry_gateway::serve::said::{Kind, Program, Said, Tuple};
use automagik_telemetry_gateway::serve::store::{Rules, Store};
use automagik_telemetry_gateway::serve::views::answer::{self, Given};
use automagik_telemetry_gateway::serve::views::question::{Filter, Table, View};
use automagik_telemetry_gateway::serve::views::stacks::Stacks;
use automagik_telemetry_test_support::holds;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// 2026-11-01, at noon.
const START: u64 = 20_758 * DAY + DAY / 2;

const RULES: Rules = Rules { details_days: 30, sums_days: 365, k: 1 };

fn said(who: u8, version: &str, words: &[&str], time: u64) -> Said {
    let program =
        Program { project: "omni".to_owned(), version: version.to_owned(), system: "linux amd64".to_owned() };
    let event = |word: &&str| {
        let attributes = format!("{{\"word\":\"{word}\"}}");
        (Tuple { kind: Kind::Event, name: "omni.said".to_owned(), attributes }, time, 1)
    };
    Said { program, pseudonym: pseudonym(who), counts: words.iter().map(event).collect() }
}

/// Bytes that are found in a file wherever they are.
fn pseudonym(who: u8) -> [u8; 16] {
    [0xA0 ^ who; 16]
}

fn filter(from: u64, to: u64) -> Filter {
    Filter { project: "omni".to_owned(), from: from / DAY, to: to / DAY, ..Filter::default() }
}

fn ask(store: &Store, view: View, filter: &Filter, now: u64) -> Table {
    let sums = answer::open(store.folder(), store.rules().k).unwrap();
    let is_of_many = store.rules().k > 1;
    let given = Given { state: store.folder(), now, is_of_many, stacks: &Stacks::default() };
    answer::answer(view, &sums, filter, given).unwrap()
}

/// A day passes at the store.
fn pass(store: &mut Store, now: u64) {
    store.close_days(now / DAY).unwrap();
    store.expire(now).unwrap();
}

#[test]
fn after_the_31st_day_no_detail_of_the_first_is_in_any_file_and_after_a_year_no_sum() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), RULES).unwrap();
    store.append(&[said(1, "1.0.0", &["MARKED-FIRST"], START)], START).unwrap();
    for later in 1..30 {
        let now = START + later * DAY;
        pass(&mut store, now);
        store.append(&[said(2, "1.0.0", &["other"], now)], now).unwrap();
        assert!(holds(folder.path(), &pseudonym(1)), "it is kept on day {later}");
    }
    let now = START + 30 * DAY;
    pass(&mut store, now);
    assert!(!holds(folder.path(), &pseudonym(1)), "a pseudonym of the first day is left");
    assert!(!days::path(folder.path(), START / DAY).exists());
    // What the day added up to is still there.
    assert!(holds(folder.path(), b"MARKED-FIRST"));
    let words = ask(&store, View::Words, &filter(START, now), now);
    assert!(words.rows.iter().any(|row| row[2] == "MARKED-FIRST" && row[3] == 1), "{words:?}");
    pass(&mut store, START + 364 * DAY);
    assert!(holds(folder.path(), b"MARKED-FIRST"));
    pass(&mut store, START + 365 * DAY);
    assert!(!holds(folder.path(), b"MARKED-FIRST"), "a word of a year ago is left");
    assert!(!holds(folder.path(), &pseudonym(2)));
}

#[test]
fn a_month_is_counted_once_and_its_sketch_is_destroyed_when_it_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), RULES).unwrap();
    for day in 0..30 {
        let now = START + day * DAY;
        pass(&mut store, now);
        // Twenty that come each day, and one more.
        let all: Vec<Said> =
            (0..20).chain([100 + day as u8]).map(|who| said(who, "1.0.0", &["a"], now)).collect();
        store.append(&all, now).unwrap();
    }
    let sketch = |store: &Store| -> Option<Vec<u8>> {
        let sums = answer::open(store.folder(), 1).unwrap();
        sums.query_row("SELECT sketch FROM months WHERE month = '2026-11'", [], |row| row.get(0)).unwrap()
    };
    store.sum_up((START + 29 * DAY) / DAY).unwrap();
    let kept = sketch(&store).unwrap();
    // In December.
    let now = START + 30 * DAY;
    pass(&mut store, now);
    assert_eq!(sketch(&store), None);
    assert!(!holds(folder.path(), &kept[..16]), "the month's key is left");
    let months = ask(&store, View::Months, &filter(START, now), now);
    assert_eq!(months.rows, [vec!["2026-11".into(), serde_json::Value::from(50)]]);
}

#[test]
fn times_that_can_not_be_are_moved_and_counted_and_gone_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), RULES).unwrap();
    // 1970 and 2099.
    store
        .append(&[said(1, "1.0.0", &["past"], 0), said(1, "1.0.0", &["future"], 4_080_000_000)], START)
        .unwrap();
    store.sum_up(START / DAY).unwrap();
    let recent = ask(&store, View::Recent, &filter(START, START), START);
    let times: BTreeSet<&str> = recent.rows.iter().map(|row| row[1].as_str().unwrap()).collect();
    assert_eq!(times, BTreeSet::from(["2026-10-02T12:00:00Z", "2026-11-01T12:00:00Z"]));
    let notes = ask(&store, View::Notes, &filter(START, START), START);
    assert_eq!(notes.rows[0][1..], ["time moved to what is possible".into(), serde_json::Value::from(2)]);
    pass(&mut store, START + 30 * DAY);
    assert!(!holds(folder.path(), &pseudonym(1)));
}

#[test]
fn what_too_few_said_is_shown_in_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), Rules { k: 3, ..RULES }).unwrap();
    let mut all: Vec<Said> = (0..3).map(|who| said(who, "1.0.0", &["common"], START)).collect();
    // Two different rare words of three people are one of the rest; a version and a system that only one has are none.
    all.extend([
        said(0, "1.0.0", &["rare-1"], START),
        said(1, "1.0.0", &["rare-2"], START),
        said(2, "1.0.0", &["rare-3"], START),
    ]);
    all.push(said(9, "9.9.9", &["common"], START));
    store.append(&all, START).unwrap();
    store.sum_up(START / DAY).unwrap();
    let all = View::ALL.map(|view| format!("{:?}", ask(&store, view, &filter(START, START), START).rows));
    let sums = answer::open(folder.path(), 3).unwrap();
    let choices = format!("{:?}", answer::choices(&sums, "omni").unwrap());
    for secret in ["rare", "9.9.9"] {
        assert!(
            !all.iter().chain([&choices]).any(|shown| shown.contains(secret)),
            "{secret}: {all:#?} {choices}"
        );
    }
    let words = ask(&store, View::Words, &filter(START, START), START);
    let counts: Vec<(String, u64)> = words
        .rows
        .iter()
        .map(|row| (row[2].as_str().unwrap().to_owned(), row[3].as_u64().unwrap()))
        .collect();
    // Four: the three rare words, and the common one of a version that nobody else has.
    assert_eq!(counts, [("*".to_owned(), 4), ("common".to_owned(), 3)]);
}

#[test]
fn what_even_together_too_few_said_is_only_a_number() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), Rules { k: 3, ..RULES }).unwrap();
    store.append(&[said(0, "1.0.0", &["rare"], START), said(1, "1.0.0", &["rare"], START)], START).unwrap();
    store.sum_up(START / DAY).unwrap();
    for view in View::ALL {
        let rows = ask(&store, view, &filter(START, START), START).rows;
        let expected: &[Vec<serde_json::Value>] = if view == View::Notes {
            &[vec!["2026-11-01".into(), "said by too few to be shown".into(), 2.into()]]
        } else {
            &[]
        };
        assert_eq!(rows, expected, "{view:?}");
    }
}

#[test]
fn words_are_counted_day_by_day_and_the_most_frequent_stands_first() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), RULES).unwrap();
    for (day, words) in [(0, ["b", "a"]), (2, ["b", "b"])] {
        let now = START + day * DAY;
        store.append(&[said(1, "1.0.0", &words, now)], now).unwrap();
    }
    let end = START + 3 * DAY;
    pass(&mut store, end);
    let row = |word: &str, count: u64, days: [u64; 4]| -> Vec<serde_json::Value> {
        vec!["omni.said".into(), "word".into(), word.into(), count.into(), days.to_vec().into()]
    };
    let words = ask(&store, View::Words, &filter(START, end), end).rows;
    assert_eq!(words, [row("b", 3, [1, 0, 2, 0]), row("a", 1, [1, 0, 0, 0])]);
}

#[test]
fn errors_are_told_of_how_many_events() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), RULES).unwrap();
    let event = |name: &str, attributes: &str, count| {
        let (name, attributes) = (name.to_owned(), attributes.to_owned());
        (Tuple { kind: Kind::Event, name, attributes }, START, count)
    };
    let counts = vec![
        event("automagik.error", "{\"error_category\":\"network\",\"error_code\":\"OMNI-1001\"}", 3),
        event("automagik.cli.command", "{\"command\":\"a\",\"success\":true}", 6),
        event("automagik.cli.command", "{\"command\":\"b\",\"success\":false}", 1),
    ];
    store.append(&[Said { counts, ..said(1, "1.0.0", &[], START) }], START).unwrap();
    store.sum_up(START / DAY).unwrap();
    let row =
        |name: &str, key: &str, value: &str, count: u64, of: u64, share: f64| -> Vec<serde_json::Value> {
            vec![name.into(), key.into(), value.into(), count.into(), of.into(), share.into()]
        };
    let expected = [
        row("automagik.error", "error_code", "OMNI-1001", 3, 10, 300.0),
        row("automagik.cli.command", "success", "false", 1, 7, 142.8),
    ];
    assert_eq!(ask(&store, View::Errors, &filter(START, START), START).rows, expected);
}

#[test]
fn a_larger_k_holds_for_what_was_kept_before() {
    let folder = tempfile::tempdir().unwrap();
    let rules = |k| Rules { details_days: 2, k, ..RULES };
    let end = START + 3 * DAY;
    {
        let mut store = Store::open(folder.path(), rules(1)).unwrap();
        for day in 0..3 {
            let now = START + day * DAY;
            pass(&mut store, now);
            let common = (0..3).map(|who| said(who, "1.0.0", &["common"], now));
            store.append(&common.chain([said(9, "1.0.0", &["rare"], now)]).collect::<Vec<_>>(), now).unwrap();
        }
        pass(&mut store, end);
        assert!(format!("{:?}", ask(&store, View::Words, &filter(START, end), end)).contains("rare"));
    }
    let mut store = Store::open(folder.path(), rules(3)).unwrap();
    pass(&mut store, end);
    let words = ask(&store, View::Words, &filter(START, end), end).rows;
    let counts: Vec<_> =
        words.iter().map(|row| (row[2].as_str().unwrap(), row[3].as_u64().unwrap())).collect();
    // Only the last day has details still: the two before it are not shown.
    assert_eq!(counts, [("common", 3)]);
    drop(store);
    let store = Store::open(folder.path(), rules(1)).unwrap();
    assert!(
        format!("{:?}", ask(&store, View::Words, &filter(START, end), end)).contains("rare"),
        "and they are not gone"
    );
}

#[test]
fn sums_that_are_made_again_and_again_are_those_that_are_made_once() {
    for k in [1, 2] {
        let (often, once) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut stores =
            [&often, &once].map(|folder| Store::open(folder.path(), Rules { k, ..RULES }).unwrap());
        for at in 0..20_u8 {
            let said = [said(at % 5, "1.0.0", &[["a", "b", "c"][usize::from(at) % 3]], START)];
            stores.iter_mut().for_each(|store| store.append(&said, START).unwrap());
            stores[0].sum_up(START / DAY).unwrap();
        }
        stores[1].sum_up(START / DAY).unwrap();
        for view in View::ALL {
            let [often, once] = [0, 1].map(|at| ask(&stores[at], view, &filter(START, START), START));
            assert_eq!(often, once, "{view:?}");
        }
    }
}

#[test]
fn a_clock_that_goes_back_over_midnight_loses_nothing() {
    for k in [1, 2] {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), Rules { k, ..RULES }).unwrap();
        let all = |now| [said(1, "1.0.0", &["a"], now), said(2, "1.0.0", &["a"], now)];
        for now in [START, START + DAY, START, START + DAY] {
            pass(&mut store, now);
            store.append(&all(now), now).unwrap();
        }
        pass(&mut store, START + 2 * DAY);
        let days = ask(&store, View::Days, &filter(START, START + DAY), START).rows;
        assert_eq!(days.iter().map(|row| row[2].as_u64().unwrap()).collect::<Vec<_>>(), [4, 4]);
    }
}

#[test]
fn one_folder_is_for_one_server() {
    let folder = tempfile::tempdir().unwrap();
    let first = Store::open(folder.path(), RULES).unwrap();
    let error = Store::open(folder.path(), RULES).unwrap_err().to_string();
    assert!(error.contains("another server uses this folder"), "{error}");
    drop(first);
    Store::open(folder.path(), RULES).unwrap();
}

#[test]
fn a_store_that_is_opened_again_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..3_u64 {
        let mut store = Store::open(folder.path(), RULES).unwrap();
        store.append(&[said(1, "1.0.0", &["a"], START + round)], START + round).unwrap();
        store.sum_up(START / DAY).unwrap();
        let days = ask(&store, View::Days, &filter(START, START), START);
        assert_eq!(days.rows, [vec!["2026-11-01".into(), 1.into(), serde_json::Value::from(round + 1)]]);
    }
}

#[test]
fn dates_come_back() {
    for day in [0, 20_758, 2_932_896] {
        assert_eq!(days::day(&days::date(day)), Some(day));
    }
    assert_eq!(days::day("2026-11-31"), None);
    assert_eq!(days::day("; DROP TABLE daily"), None);
}

/// Who says what on which day.
#[derive(Clone, Debug)]
struct Event {
    who: u8,
    version: u8,
    word: u8,
    day: u64,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = (0..6_u8, 0..3_u8, 0..4_u8, 0..40_u64).prop_map(|(who, version, word, day)| Event {
        who,
        version,
        word,
        day,
    });
    proptest::collection::vec(event, 0..60).prop_map(|mut events| {
        events.sort_by_key(|event| event.day);
        events
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whether a day's file is still there or not, answers count what was said, and with a `k` no more than that.
    #[test]
    fn answers_are_what_was_said(events in events(), k in 1..4_u64) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), Rules { details_days: 7, sums_days: 365, k }).unwrap();
        for event in &events {
            let now = START + event.day * DAY;
            pass(&mut store, now);
            let words = [["a", "b", "c", "d"][usize::from(event.word)]];
            store.append(&[said(event.who, &format!("{}.0.0", event.version), &words, now)], now).unwrap();
        }
        let end = START + 40 * DAY;
        pass(&mut store, end);
        let mut expected: BTreeMap<u64, (BTreeSet<u8>, u64)> = BTreeMap::new();
        for event in &events {
            let of = expected.entry(event.day).or_default();
            of.0.insert(event.who);
            of.1 += 1;
        }
        let days = ask(&store, View::Days, &filter(START, end), end);
        if k == 1 {
            let rows: Vec<Vec<serde_json::Value>> = expected
                .iter()
                .rev()
                .map(|(day, (who, count))| vec![days::date((START + day * DAY) / DAY).into(), who.len().into(), (*count).into()])
                .collect();
            prop_assert_eq!(days.rows, rows);
        } else {
            for row in &days.rows {
                prop_assert!(row[1] == 0 || row[1].as_u64().unwrap() >= k, "{:?}", row);
            }
        }
        // A word is counted as often as it was said by enough with its version in a day, and the rest is one of all such, or a number.
        let mut sayers: BTreeMap<(u64, u8, u8), (BTreeSet<u8>, u64)> = BTreeMap::new();
        for event in &events {
            let of = sayers.entry((event.day, event.version, event.word)).or_default();
            of.0.insert(event.who);
            of.1 += 1;
        }
        let mut expected: BTreeMap<String, u64> = BTreeMap::new();
        for ((_, _, word), (_, count)) in sayers.iter().filter(|(_, (who, _))| who.len() as u64 >= k) {
            *expected.entry(["a", "b", "c", "d"][usize::from(*word)].to_owned()).or_default() += count;
        }
        let words = ask(&store, View::Words, &filter(START, end), end).rows;
        let counts = words.iter().map(|row| (row[2].as_str().unwrap().to_owned(), row[3].as_u64().unwrap()));
        prop_assert_eq!(counts.filter(|(word, _)| word != "*").collect::<BTreeMap<_, _>>(), expected);
        let shown: u64 = words.iter().map(|row| row[3].as_u64().unwrap()).sum();
        let notes = ask(&store, View::Notes, &filter(START, end), end).rows;
        let hidden: u64 = notes.iter().map(|row| row[2].as_u64().unwrap()).sum();
        prop_assert_eq!(shown + hidden, events.len() as u64);
    }
}
