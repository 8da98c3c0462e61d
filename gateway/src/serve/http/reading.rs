//! What people and other programs read: pages, CSV, JSON, events as they arrive.

use super::server::{Failed, Known, Server};
use crate::known::manifests::Manifests;
use crate::serve::database::Error;
use crate::serve::days::{self, DAY, now};
use crate::serve::page;
use crate::serve::views::answer::{self, Given, answer};
use crate::serve::views::question::{Filter, Table, View};
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use std::convert::Infallible;
use std::sync::Arc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::BroadcastStream;

/// Days that are shown where nobody asks for others.
const DAYS_SHOWN: u64 = 30;

/// What stands behind the `?` of an address.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    project: String,
    version: String,
    system: String,
    from: String,
    to: String,
}

impl Asked {
    /// What it asks for: the last days, where it names none.
    fn filter(self, today: u64) -> Result<Filter, Failed> {
        if self.project.is_empty() {
            return Err(Failed::asked("say which project, as in ?project=omni"));
        }
        let day = |text: &str, none| {
            let day = if text.is_empty() { Some(none) } else { days::day(text) };
            day.ok_or(Failed::asked("from and to are days, as in 2026-11-27"))
        };
        let to = day(&self.to, today)?;
        let from = day(&self.from, (to + 1).saturating_sub(DAYS_SHOWN))?;
        Ok(Filter { project: self.project, version: self.version, system: self.system, from, to })
    }
}

/// What `server`'s answers depend on.
fn given<'a>(server: &'a Server, known: &'a Known, now: u64) -> Given<'a> {
    Given { state: &server.state, now, is_of_many: server.rules.k > 1, stacks: &known.stacks }
}

pub(super) async fn front(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Failed> {
    // As the reader reaches it, so do programs.
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let base = format!("{}://{host}", if server.has_tls { "https" } else { "http" });
    let today = now() / DAY;
    let from = (today + 1).saturating_sub(DAYS_SHOWN);
    let projects = server.read(move |sums| answer::projects(sums, from, today)).await?;
    let has_token = !server.secrets.write.is_empty();
    Ok(html(page::front(&projects, &server.rules, &base, has_token).into_string()))
}

pub(super) async fn project(
    State(server): State<Arc<Server>>,
    Query(asked): Query<Asked>,
) -> Result<impl IntoResponse, Failed> {
    let now = now();
    let filter = asked.filter(now / DAY)?;
    let known = server.known();
    let (about, asked, stacks) = (filter.clone(), Arc::clone(&server), Arc::clone(&known));
    let (choices, tables) = server
        .read(move |sums| {
            let choices = answer::choices(sums, &about.project)?;
            let ask = |view| Ok((view, answer(view, sums, &about, given(&asked, &stacks, now))?));
            Ok((choices, View::ALL.into_iter().map(ask).collect::<Result<Vec<_>, Error>>()?))
        })
        .await?;
    let vocabularies = known.manifests.iter().flat_map(Manifests::all);
    let vocabularies: Vec<_> =
        vocabularies.filter(|vocabulary| vocabulary.project == filter.project).collect();
    Ok(html(page::project(&filter, &choices, &tables, &vocabularies, &server.rules).into_string()))
}

pub(super) async fn view(
    State(server): State<Arc<Server>>,
    Path(file): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failed> {
    let known = file.rsplit_once('.').and_then(|(word, form)| Some((View::of(word)?, form.to_owned())));
    let Some((view, form)) = known.filter(|(_, form)| form == "csv" || form == "json") else {
        let views: Vec<&str> = View::ALL.iter().map(|view| view.word()).collect();
        let there_is = format!("there are {}, each as .csv and .json\n", views.join(", "));
        return Ok((StatusCode::NOT_FOUND, there_is).into_response());
    };
    let now = now();
    let (filter, asked, known) = (asked.filter(now / DAY)?, Arc::clone(&server), server.known());
    let table = server.read(move |sums| answer(view, sums, &filter, given(&asked, &known, now))).await?;
    let name = format!("attachment; filename=\"{}.{form}\"", view.word());
    let disposition = (CONTENT_DISPOSITION, name);
    Ok(if form == "csv" {
        let csv = csv(&table).map_err(Failed::here)?;
        ([(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), disposition], csv).into_response()
    } else {
        let rows: Vec<serde_json::Map<String, serde_json::Value>> = table
            .rows
            .into_iter()
            .map(|row| table.columns.iter().map(|column| (*column).to_owned()).zip(row).collect())
            .collect();
        ([(CONTENT_TYPE, "application/json".to_owned())], axum::Json(rows)).into_response()
    })
}

fn csv(table: &Table) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&table.columns)?;
    for row in &table.rows {
        writer.write_record(row.iter().map(harmless))?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// A value as a cell. A text that a spreadsheet would take for a formula stands behind a quotation mark: it is a program's, or of whoever may write.
fn harmless(value: &serde_json::Value) -> String {
    let text = page::plain(value);
    if value.is_string() && text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text
    }
}

pub(super) async fn live(State(server): State<Arc<Server>>, Query(asked): Query<Asked>) -> impl IntoResponse {
    let events = BroadcastStream::new(server.writer.live()).filter_map(move |event| {
        let event = event.ok().filter(|event| event["project"] == *asked.project)?;
        Event::default().json_data(&*event).ok().map(Ok::<_, Infallible>)
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

fn html(page: String) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/html; charset=utf-8")], page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_csv_a_text_is_no_formula_and_a_number_stays_one() {
        let row = vec!["=1+1".into(), "@SUM(A1)".into(), (-3).into(), "a=b".into()];
        let table = Table { columns: vec!["a", "b", "c", "d"], rows: vec![row] };
        assert_eq!(csv(&table).unwrap(), b"a,b,c,d\n'=1+1,'@SUM(A1),-3,a=b\n");
    }
}
