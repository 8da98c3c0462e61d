//! The derives of `automagik-telemetry`: [`Label`](macro@Label), [`Event`](macro@Event), [`Metrics`](macro@Metrics),
//! [`Schema`](macro@Schema) and [`Library`](macro@Library).
//!
//! They generate constant tables and `match`es over variants, no logic. They check what they see, so that an error points at the word
//! to change. The guarantee itself is core's and holds without them.
//!
//! The generated code uses the path `::automagik_telemetry`. If your crate has another name for it (a renamed dependency, a re-export), name
//! the path, as with serde: `#[label(crate = "::telemetry")]`, `#[event(crate = "...")]`, `#[metric(crate = "...")]` on the struct,
//! `#[schema(crate = "...")]`, `#[library(crate = "...")]`.
//!
//! `attr` parses, `check` collects every error, `emit` writes the tables, `fallback` an implementation even where
//! something is wrong, so that one mistake is one error.

use proc_macro::TokenStream;

mod attr;
mod check;
mod emit;
mod fallback;

/// Derives `Label`, a closed vocabulary, for an enum without data.
///
/// A variant's word is its name in snake_case, or that of `#[label("...")]`: a string literal of 1 to 64 bytes that follows the rules
/// of `automagik_telemetry::word`.
///
/// ```
/// # extern crate automagik_telemetry_core as automagik_telemetry;
/// use automagik_telemetry::label::Checked;
/// # use automagik_telemetry_derive::Label;
///
/// #[derive(Label, Clone, Copy)]
/// enum Route {
///     #[label("GET /contacts/{id}")]
///     GetContact,
///     HealthCheck,
/// }
///
/// assert_eq!(Checked::<Route>::WORDS, ["GET /contacts/{id}", "health_check"]);
/// ```
#[proc_macro_derive(Label, attributes(label))]
pub fn label(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    if let Some(missing) = attr::missing_facade(&input.attrs, "label") {
        return missing.to_compile_error().into();
    }
    match check::label(&input) {
        Ok(label) => emit::label(&label),
        Err(errors) => fallback::label(&input, &errors),
    }
    .into()
}

/// Derives `Event` for a struct whose fields are `Field`s.
///
/// `#[event(name = "...")]` on the struct names the event, optionally with `severity = "info"`, `"warn"`, `"error"` or `"fatal"`. A field has
/// its name in the struct, or that of `#[event(name = "...")]` on it.
///
/// `#[event(harmless = "...")]` on a field states why it cannot identify a person. It is required if the field's name suggests personal
/// data, or if the plain numbers (`Count`) of the event have more than 20 bits together. The inventory shows the reason.
///
/// ```
/// # extern crate automagik_telemetry_core as automagik_telemetry;
/// use automagik_telemetry::{Count, Milliseconds, event::Checked};
/// # use automagik_telemetry_derive::Event;
///
/// #[derive(Event)]
/// #[event(name = "omni.contacts.imported", severity = "warn")]
/// struct ContactsImported {
///     count: Count<100_000>,
///     #[event(name = "duration_ms")]
///     duration: Milliseconds,
/// }
///
/// assert_eq!(Checked::<ContactsImported>::DESCRIPTOR.bits(), 24);
/// ```
#[proc_macro_derive(Event, attributes(event))]
pub fn event(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    if let Some(missing) = attr::missing_facade(&input.attrs, "event") {
        return missing.to_compile_error().into();
    }
    match check::event(&input) {
        Ok(event) => emit::event(&event),
        Err(errors) => fallback::event(&input, &errors),
    }
    .into()
}

/// Derives `Metrics` for a struct of `Counter`s and `Histogram`s. `global()` returns its only value, which is in static memory.
///
/// `#[metric(name = "...")]` names a metric, `by = "..."` the attribute of its label, and `and = "..."` that of its second label.
///
/// ```
/// # extern crate automagik_telemetry_core as automagik_telemetry;
/// use automagik_telemetry::aggregate::Metrics as _;
/// use automagik_telemetry::{Counter, FeatureUsed, Histogram, Milliseconds};
/// # use automagik_telemetry_derive::{Label, Metrics, Schema};
///
/// #[derive(Label, Clone, Copy)]
/// enum Command { List, Create }
///
/// #[derive(Metrics)]
/// struct OmniMetrics {
///     #[metric(name = "omni.command.duration", by = "command")]
///     duration: Histogram<Command, Milliseconds>,
///     #[metric(name = "omni.starts")]
///     starts: Counter<()>,
/// }
///
/// #[derive(Schema)]
/// #[schema(organization = "automagik", project = "omni", metrics = OmniMetrics)]
/// enum Omni { Feature(FeatureUsed<Command>) }
///
/// OmniMetrics::global().starts.add(());
/// OmniMetrics::global().duration.record(Command::List, Milliseconds::new(12));
/// ```
#[proc_macro_derive(Metrics, attributes(metric))]
pub fn metrics(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    if let Some(missing) = attr::missing_facade(&input.attrs, "metric") {
        return missing.to_compile_error().into();
    }
    match check::metrics(&input) {
        Ok(metrics) => emit::metrics(&metrics),
        Err(errors) => fallback::metrics(&input, &errors),
    }
    .into()
}

/// Derives `Library` for an enum with one event per variant: what a library can record in a program that includes it.
///
/// `#[library(metrics = ParserMetrics)]` adds what it counts. The organization, project, endpoint and consent are the program's, whose
/// schema has `include = Parser`. The library records to a `LibraryTelemetry<Parser>` that the program passes to it. An event may have the name
/// of one of the program's, such as `automagik.feature.used`, if their fields have the same names.
///
/// ```
/// # extern crate automagik_telemetry_core as automagik_telemetry;
/// use automagik_telemetry::{FeatureUsed, schema::Checked};
/// # use automagik_telemetry_derive::{Label, Library, Schema};
///
/// #[derive(Label, Clone, Copy)]
/// enum Syntax { Table, Footnote }
///
/// #[derive(Library)]
/// enum Parser { Syntax(FeatureUsed<Syntax>) } // in the library
///
/// #[derive(Label, Clone, Copy)]
/// enum Feature { Export }
///
/// #[derive(Schema)]
/// #[schema(organization = "automagik", project = "omni", include = Parser)]
/// enum Omni { Feature(FeatureUsed<Feature>) } // in the program
///
/// // What was dropped, what the program says, what the library says.
/// assert_eq!(Checked::<Omni>::DESCRIPTOR.event_count(), 3);
/// ```
#[proc_macro_derive(Library, attributes(library))]
pub fn library(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    if let Some(missing) = attr::missing_facade(&input.attrs, "library") {
        return missing.to_compile_error().into();
    }
    match check::library(&input) {
        Ok(library) => emit::library(&library),
        Err(errors) => fallback::library(&input, &errors),
    }
    .into()
}

/// Derives `Schema` for an enum with one event per variant: everything that a program can record.
///
/// | `#[schema(...)]` | meaning |
/// |---|---|
/// | `organization = "..."` | required: who publishes the program. A user's yes covers one organization; its name is in the variables (`ACME_TELEMETRY_ENABLED`) and the folders |
/// | `project = "..."` | required: the program, `service.name` |
/// | `endpoint = "https://..."` | where data are sent unless the user sets another place. Required, except for `automagik`, whose default is the policy's server |
/// | `privacy_policy = "https://..."` | a page that the question links to |
/// | `version = "..."` | `service.version`; the package's version by default |
/// | `resolution = "second"`, `"minute"`, `"hour"` or `"day"` | how coarse times are; a minute by default |
/// | `include = parser::Parser` | the schema of a library; once for each |
/// | `metrics = OmniMetrics` | what is counted |
///
/// ```
/// # extern crate automagik_telemetry_core as automagik_telemetry;
/// use automagik_telemetry::{FeatureUsed, Includes, schema::Checked};
/// # use automagik_telemetry_derive::{Label, Schema};
///
/// #[derive(Label, Clone, Copy)]
/// enum Feature { ListContacts }
///
/// #[derive(Schema)]
/// #[schema(organization = "automagik", project = "omni")]
/// enum Omni {
///     FeatureUsed(FeatureUsed<Feature>),
/// }
///
/// assert_eq!(Checked::<Omni>::DESCRIPTOR.project(), "omni");
/// let event = Omni::include(FeatureUsed { feature: Feature::ListContacts });
/// ```
#[proc_macro_derive(Schema, attributes(schema))]
pub fn schema(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    if let Some(missing) = attr::missing_facade(&input.attrs, "schema") {
        return missing.to_compile_error().into();
    }
    match check::schema(&input) {
        Ok(schema) => emit::schema(&schema),
        Err(errors) => fallback::schema(&input, &errors),
    }
    .into()
}
