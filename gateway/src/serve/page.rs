//! The pages: tables for everybody, bars beside them for eyes. They load a style and a script from here, and nothing from elsewhere.

use super::days;
use super::store::Rules;
use super::views::question::{Filter, Table, View};
use crate::known::vocabulary::Vocabulary;
use crate::tools::manifest;
use automagik_telemetry_core::manifest::Manifest;
use maud::{DOCTYPE, Markup, html};
use serde_json::Value;
use std::sync::Arc;

/// The style of all pages.
pub const STYLE: &str = include_str!("page/style.css");

/// What puts events on the page as they arrive.
pub const SCRIPT: &str = include_str!("page/live.js");

/// A value as people read it.
#[must_use]
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// The page of all projects; programs send to `base`, and need a token if it `has_token`.
#[must_use]
pub fn front(projects: &Table, rules: &Rules, base: &str, has_token: bool) -> Markup {
    around(
        "Telemetry",
        html! {
            h1 { "Telemetry" }
            @if projects.rows.is_empty() {
                p { "Nothing has arrived yet." }
            }
            section {
                h2 { "Send to this server" }
                p { "Start a program with these variables (" code { "AUTOMAGIK" } " stands for its organization):" }
                pre {
                    "AUTOMAGIK_TELEMETRY_ENABLED=true \\\nAUTOMAGIK_TELEMETRY_ENDPOINT=" (base)
                    @if has_token { " \\\nAUTOMAGIK_TELEMETRY_HEADERS='authorization=Bearer%20TOKEN'" }
                }
            }
            @if !projects.rows.is_empty() {
                section {
                    h2 { "Projects" }
                    div.wide tabindex="0" role="region" aria-label="Projects" {
                        table {
                            (heads(projects))
                            tbody {
                                @for row in &projects.rows {
                                    tr {
                                        @for (at, value) in row.iter().enumerate() {
                                            @if at == 0 {
                                                th scope="row" {
                                                    a href={ "/project?" (query(&[("project", &plain(value))])) } { (plain(value)) }
                                                }
                                            } @else { (cell(value)) }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            (kept(rules))
        },
    )
}

/// The page of one project.
#[must_use]
pub fn project(
    filter: &Filter,
    (versions, systems): &(Vec<String>, Vec<String>),
    tables: &[(View, Table)],
    known: &[&Arc<Vocabulary>],
    rules: &Rules,
) -> Markup {
    let asked = asked(filter);
    around(
        &format!("Telemetry of {}", filter.project),
        html! {
            p { a href="/" { "All projects" } }
            h1 { "Telemetry of " (filter.project) }
            form action="/project" {
                input type="hidden" name="project" value=(filter.project);
                (choice("version", "Version", versions, &filter.version))
                (choice("system", "System", systems, &filter.system))
                label { "From" input type="date" name="from" value=(days::date(filter.from)); }
                label { "To" input type="date" name="to" value=(days::date(filter.to)); }
                button { "Show" }
            }
            nav aria-label="Questions" {
                ul {
                    @for (view, _) in tables {
                        li { a href={ "#" (view.word()) } { (view.title()) } }
                    }
                    li { a href="#inventory" { "What could be said" } }
                }
            }
            @for (view, table) in tables {
                section id=(view.word()) {
                    h2 { (view.title()) }
                    (answer(*view, table, filter, rules))
                    p.files {
                        a href={ "/view/" (view.word()) ".csv?" (asked) } { "CSV" } " "
                        a href={ "/view/" (view.word()) ".json?" (asked) } { "JSON" } " "
                        a href={ "/project?" (asked) "#" (view.word()) } { "Link" }
                    }
                }
            }
            (inventory(known))
            (kept(rules))
            script src="/live.js" defer {}
        },
    )
}

fn answer(view: View, table: &Table, filter: &Filter, rules: &Rules) -> Markup {
    let is_live = view == View::Recent && rules.k == 1;
    let live = is_live.then(|| format!("/live?{}", query(&[("project", &filter.project)])));
    html! {
        @if view == View::Recent {
            @if rules.k > 1 {
                p { "Events are not shown one by one: this server shows what at least " (rules.k) " installations said." }
            } @else {
                p id="live" role="status" { "As of when this page was made." }
            }
        }
        @if view == View::Values {
            p { "Numbers leave as classes. A class is named by its lowest number." }
        }
        @if view == View::Days { (bars(table)) }
        @if table.rows.is_empty() && !is_live {
            p.none { "Nothing." }
        } @else {
            div.wide tabindex="0" role="region" aria-label=(view.title()) {
                table data-live=[live] {
                    (heads(table))
                    tbody {
                        @for row in &table.rows {
                            tr { @for value in row { (cell(value)) } }
                        }
                    }
                }
            }
        }
    }
}

/// Installations day by day, from the first to the last. The table beside it says the same.
fn bars(table: &Table) -> Markup {
    let counts: Vec<u64> = table.rows.iter().rev().filter_map(|row| row.get(1)?.as_u64()).collect();
    html! {
        @if counts.len() > 1 {
            svg viewBox={ "0 0 " (counts.len() * 10) " 100" } preserveAspectRatio="none" aria-hidden="true" { (rects(&counts)) }
        }
    }
}

/// A word's counts day by day, small enough for a cell; what it says is said in words too.
fn small_bars(values: &[Value]) -> Markup {
    let counts: Vec<u64> = values.iter().filter_map(Value::as_u64).collect();
    let (most, last) = (counts.iter().max().copied().unwrap_or(0), counts.last().copied().unwrap_or(0));
    let said = format!("at most {most} a day, {last} on the last day");
    html! {
        svg.small viewBox={ "0 0 " (counts.len() * 10) " 100" } preserveAspectRatio="none" role="img" aria-label=(said) {
            title { (said) }
            (rects(&counts))
        }
    }
}

fn rects(counts: &[u64]) -> Markup {
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    html! {
        @for (at, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            // Seen, however little it is.
            @let height = (count * 96 / most).max(2);
            rect x=(at * 10 + 1) y=(100 - height) width="8" height=(height) {}
        }
    }
}

fn heads(table: &Table) -> Markup {
    let is_number = |at: usize| table.rows.first().and_then(|row| row.get(at)).is_some_and(Value::is_number);
    html! {
        thead {
            tr {
                @for (at, column) in table.columns.iter().enumerate() {
                    th scope="col" class=[is_number(at).then_some("number")] { (column) }
                }
            }
        }
    }
}

fn cell(value: &Value) -> Markup {
    html! {
        @if value.is_number() { td.number { (plain(value)) } }
        @else if let Value::Array(values) = value { td { (small_bars(values)) } }
        @else if plain(value).contains('\n') { td { pre { (plain(value)) } } }
        @else { td { (plain(value)) } }
    }
}

fn choice(name: &str, title: &str, words: &[String], chosen: &str) -> Markup {
    html! {
        label {
            (title)
            select name=(name) {
                option value="" { "any" }
                @for word in words { option value=(word) selected[word == chosen] { (word) } }
            }
        }
    }
}

/// All that programs of this project can say, by the manifests that the server has.
fn inventory(known: &[&Arc<Vocabulary>]) -> Markup {
    html! {
        section id="inventory" {
            h2 { "What could be said" }
            @if known.is_empty() {
                p { "This server has no manifest of it: whatever the program says is kept. Start the server with --manifests to refuse all else." }
            }
            @for vocabulary in known {
                details {
                    summary { "Version " (vocabulary.version) }
                    pre { (said_by(vocabulary)) }
                }
            }
        }
    }
}

fn said_by(vocabulary: &Vocabulary) -> String {
    Manifest::decode(&vocabulary.manifest).map(|manifest| manifest::print(&manifest)).unwrap_or_default()
}

/// What is kept, and for how long.
fn kept(rules: &Rules) -> Markup {
    html! {
        section id="kept" {
            h2 { "What this server keeps" }
            ul {
                li { "Events one by one, with a random number in the place of a name: " (rules.details_days) " days from their arrival. Then the file of their day is deleted." }
                li { "How often each combination of words was said in a day, without that number: " (rules.sums_days) " days." }
                @if rules.k > 1 {
                    li { "What fewer than " (rules.k) " installations said in a day is added up with the like, or only counted." }
                }
                li { "No address and no header of a request." }
            }
        }
    }
}

fn around(title: &str, content: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="stylesheet" href="/style.css";
                link rel="icon" href="data:,";
            }
            body { main { (content) } }
        }
    }
}

/// What stands behind the `?` of a link.
fn query(pairs: &[(&str, &str)]) -> String {
    serde_urlencoded::to_string(pairs).unwrap_or_default()
}

fn asked(filter: &Filter) -> String {
    let (from, to) = (days::date(filter.from), days::date(filter.to));
    query(&[
        ("project", &filter.project),
        ("version", &filter.version),
        ("system", &filter.system),
        ("from", &from),
        ("to", &to),
    ])
}
