//! All that a person may see, as one page of HTML: who decided, what waits, what was sent, what could be said.
//!
//! ```text
//!  status ─┐
//!  waiting ┼──► page ──► one file: no script, nothing from elsewhere, as its policy for the browser says too
//!  sent ───┤
//!  inventory
//! ```

use crate::person::inventory::Inventory;
use crate::send::sent::Became;
use crate::shown::status::{Status, date};
use serde_json::{Map, Value};

/// What the browser may load: nothing, and the style that stands in the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Readable on a phone, in the dark, and on paper.
const STYLE: &str = "
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; }
table { border-collapse: collapse; margin: .5rem 0; width: 100%; }
caption { text-align: left; font-weight: 600; }
th, td { border-bottom: 1px solid #8888; padding: .25rem .5rem; text-align: left; vertical-align: top; overflow-wrap: break-word; }
summary { cursor: pointer; padding: .25rem 0; }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere; white-space: pre-wrap; }
.on, .off { font-weight: 700; }
";

/// What the page is made of.
pub(super) struct Shown<'a> {
    pub(super) project: &'a str,
    pub(super) status: &'a Status,
    pub(super) inventory: &'a Inventory,
    /// Each event that waits, with all that leaves of it.
    pub(super) waiting: &'a [Map<String, Value>],
    /// How many more wait.
    pub(super) others: usize,
    pub(super) sent: &'a [Request<'a>],
    /// Seconds since 1970.
    pub(super) now: u64,
}

/// A request that was sent.
pub(super) struct Request<'a> {
    /// Seconds since 1970.
    pub(super) unix_seconds: u64,
    pub(super) became: Became,
    pub(super) events: &'a [Map<String, Value>],
}

/// A page in the making.
struct Page(String);

impl Page {
    /// Markup of ours, as it is.
    fn raw(&mut self, markup: &str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text of any origin.
    fn text(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c => self.0.push(c),
            }
        }
        self
    }

    /// Text in an element.
    fn element(&mut self, name: &str, text: &str) -> &mut Self {
        self.raw("<").raw(name).raw(">").text(text).raw("</").raw(name).raw(">")
    }

    /// The start of a table.
    fn table(&mut self, caption: &str, heads: &[&str]) -> &mut Self {
        self.raw("<table>").element("caption", caption).raw("<thead><tr>");
        for head in heads {
            self.raw("<th scope=\"col\">").text(head).raw("</th>");
        }
        self.raw("</tr></thead><tbody>")
    }

    /// A row, whose first cell says what it is about.
    fn row(&mut self, head: &str, cells: &[&str]) -> &mut Self {
        self.raw("<tr><th scope=\"row\">").text(head).raw("</th>");
        for cell in cells {
            self.raw("<td>").text(cell).raw("</td>");
        }
        self.raw("</tr>")
    }

    fn end_table(&mut self) -> &mut Self {
        self.raw("</tbody></table>\n")
    }

    /// What leaves of one event or count.
    fn event(&mut self, event: &Map<String, Value>) {
        let name = event.get("event").or_else(|| event.get("metric")).map(plain).unwrap_or_default();
        let time = event.get("timestamp").map(plain).unwrap_or_default();
        self.raw("<details><summary>").text(&name).raw(" ").text(&time).raw("</summary>");
        self.table("All that leaves of it", &["attribute", "value"]);
        for (key, value) in event {
            self.row(key, &[&plain(value)]);
        }
        self.end_table().raw("</details>\n");
    }
}

/// A value as text: without the quotes of JSON where it is one.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}

/// The page.
pub(super) fn page(shown: &Shown<'_>) -> String {
    let mut page = Page(String::with_capacity(1 << 14));
    let title = format!("Telemetry of {}", shown.project);
    page.raw("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n");
    page.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"").raw(POLICY).raw("\">\n");
    page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.element("title", &title).raw("<style>").raw(STYLE).raw("</style></head>\n<body><main>\n");
    page.element("h1", &title);
    page.element(
        "p",
        &format!(
            "Made on {} from what is on this machine. This page loads nothing and sends nothing. It holds what was sent: delete it when you have read it.",
            date(shown.now)
        ),
    );
    state(&mut page, &shown.status.json());
    waiting(&mut page, shown.waiting, shown.others);
    sent(&mut page, shown.sent);
    inventory(&mut page, shown.inventory);
    page.raw("</main></body></html>\n");
    page.0
}

/// Whether it is on, and why.
fn state(page: &mut Page, status: &Value) {
    let is_on = status["enabled"] == Value::Bool(true);
    page.raw("<h2>Is it on?</h2>\n<p>");
    page.raw(if is_on { "<span class=\"on\">On</span>: " } else { "<span class=\"off\">Off</span>: " });
    page.text(&plain(&status["because"])).raw(".</p>\n");
    page.table(
        "What was looked at: one no beats any yes, and without a yes it is off",
        &["where", "value", "says", "decides"],
    );
    for signal in status["signals"].as_array().into_iter().flatten() {
        // Those that say nothing are many.
        if signal["says"] != "nothing" {
            let decides = if signal["decides"] == Value::Bool(true) { "yes" } else { "" };
            page.row(&plain(&signal["name"]), &[&plain(&signal["value"]), &plain(&signal["says"]), decides]);
        }
    }
    page.end_table();
    page.table("Where data go, and what is here", &["what", "value"]);
    for (what, route) in [("events go to", &status["logs"]), ("counts go to", &status["metrics"])] {
        let to = match route.get("error") {
            Some(error) => format!("nowhere: {}", plain(error)),
            None => format!("{}, {}", plain(&route["url"]), plain(&route["set_by"])),
        };
        page.row(what, &[&to]);
    }
    let rows = [
        ("your answer is in", &status["answer_file"]),
        ("what waits is in", &status["waiting"]["folder"]),
        ("last taken by the collector", &status["delivery"]["last_taken"]),
    ];
    for (what, value) in rows {
        page.row(what, &[&plain(value)]);
    }
    if let Some(failure) = status["delivery"]["last_failure"].as_object() {
        let what = ["time", "what", "remedy"].map(|key| failure.get(key).map(plain).unwrap_or_default());
        page.row("last failure", &[&what.join(": ")]);
    }
    page.end_table();
}

fn waiting(page: &mut Page, waiting: &[Map<String, Value>], others: usize) {
    page.element("h2", &format!("What waits to be sent: {}", waiting.len() + others));
    waiting.iter().for_each(|event| page.event(event));
    if others > 0 {
        let why = "of another version of this program, or telemetry is off, and there is no pseudonym to show them with.";
        page.element("p", &format!("Not shown: {others} {why}"));
    }
}

fn sent(page: &mut Page, sent: &[Request<'_>]) {
    let events: usize = sent.iter().map(|request| request.events.len()).sum();
    page.element("h2", &format!("What was sent in the last 30 days: {events}"));
    for request in sent.iter().rev() {
        let (at, count, became) = (date(request.unix_seconds), request.events.len(), request.became.word());
        page.raw("<details>").element("summary", &format!("{at}: {count} in one request, {became}"));
        request.events.iter().for_each(|event| page.event(event));
        page.raw("</details>\n");
    }
}

fn inventory(page: &mut Page, inventory: &Inventory) {
    page.raw("<h2>What could ever be sent</h2>\n");
    let Ok(rows) = inventory.rows() else { return };
    page.table(
        "Every event and count, and all that each may say",
        &["what", "field", "what it may say", "bits"],
    );
    for [name, field, said, bits] in rows {
        page.row(&name, &[&field, &said, &bits]);
    }
    page.end_table();
    page.element(
        "p",
        "And with every request: the project and its version, this library's name and version, the operating system, the processor's kind, and a pseudonym that is another for every project.",
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::person::environment::Environment;
    use crate::testing::App;
    use automagik_telemetry_core::consent::{Signals, decide};
    use automagik_telemetry_core::schema::Checked;
    use serde_json::json;

    fn of(waiting: &[Map<String, Value>], others: usize, sent: &[Request<'_>]) -> String {
        let schema = Checked::<App>::DESCRIPTOR;
        let home = tempfile::tempdir().unwrap();
        let environment =
            Environment::at(home.path()).with("AUTOMAGIK_TELEMETRY_ENDPOINT", "http://a/?<b>&\"'");
        let status = Status::new(&environment, schema, false, decide(&Signals::default()));
        let (inventory, now) = (Inventory::of::<App>(), 1_761_048_000);
        page(&Shown { project: "app", status: &status, inventory: &inventory, waiting, others, sent, now })
    }

    fn event(value: &str) -> Map<String, Value> {
        json!({ "event": "app.started", "timestamp": "2025-10-21T12:00:00Z", "field": value })
            .as_object()
            .unwrap()
            .clone()
    }

    #[test]
    fn it_shows_what_was_sent_what_waits_and_what_could_be_said() {
        let (one, two) = ([event("one")], [event("two")]);
        let request = Request { unix_seconds: 1_761_000_000, became: Became::Accepted, events: &two };
        let page = of(&one, 2, &[request]);
        for part in [
            "What waits to be sent: 3",
            "What was sent in the last 30 days: 1",
            "2025-10-20T22:40:00Z: 1 in one request, accepted",
            "<td>one</td>",
            "<td>two</td>",
            "automagik.telemetry.dropped",
            "class=\"off\"",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
    }

    #[test]
    fn no_text_of_any_origin_becomes_markup_and_nothing_is_loaded() {
        let page = of(&[event("<script>alert('&')</script>")], 0, &[]);
        assert!(page.contains("&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;"));
        for forbidden in ["<script", "src=", "href=", "url(", "@import", "<b>"] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        assert!(page.contains("Content-Security-Policy\" content=\"default-src 'none'"));
    }
}
