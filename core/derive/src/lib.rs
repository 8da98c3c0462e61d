//! The derives of `automagik-telemetry`: [`Label`](macro@Label), [`Event`](macro@Event), [`Metrics`](macro@Metrics),
//! [`Schema`](macro@Schema) and [`Library`](macro@Library).
//!
//! They write constant tables and `match`es over variants, no logic. They check what they can see, so that an error
//! stands at the word to change; the guarantee itself is core's and holds without them.
//!
//! They write paths into the crate `automagik_telemetry`. Where that is called otherwise (a renamed dependency, a library that
//! re-exports it), say where it is, as with serde: `#[label(crate = "::telemetry")]`, `#[event(crate = "...")]`,
//! `#[metric(crate = "...")]` on the struct, `#[schema(crate = "...")]`, `#[library(crate = "...")]`.
//!
//! `attr` parses, `check` collects every error, `emit` writes the tables, `fallback` an implementation even where
//! something is wrong, so that one mistake is one error.

use proc_macro::TokenStream;

mod attr;
mod check;
mod emit;
mod fallback;

/// Makes an enum without data a label: a closed vocabulary.
///
/// The words are the variants in snake_case, or what `#[label("...")]` says: a string literal of 1 to 64 bytes, within
/// the rules of `automagik_telemetry::word`.
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

/// Makes a struct an event: a name and fields, each of them a `Field`.
///
/// `#[event(name = "...")]` on the struct names it; `severity = "info"`, `"warn"`, `"error"` or `"fatal"` may
/// follow. A field is named as in the struct, or by `#[event(name = "...")]` on it. `#[event(harmless = "...")]` says
/// why a field whose name asks for personal data does not hold any, or why its numbers may be more than the 20 bits that the
/// plain numbers of one event (`Count`) have together: the inventory shows the reason.
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

/// Makes a struct of `Counter`s and `Histogram`s the metrics of a program: names for them, and the one value that there is,
/// in static memory.
///
/// `#[metric(name = "...")]` names a metric, `by = "..."` the attribute of its label, `and = "..."` that of the second one.
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

/// Makes an enum with one event a variant a library's schema: what the library can record in a program that includes it.
///
/// `#[library(metrics = ParserMetrics)]` says what it counts. Organization, project, endpoint and consent are the program's, whose
/// schema says `include = Parser`. The library records to a `LibraryTelemetry<Parser>` that the program hands over. An event may be named
/// as one of the program's, `automagik.feature.used` for instance, where its fields have the same names.
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

/// Makes an enum with one event a variant a schema: all that a program can record.
///
/// `#[schema(organization = "...", project = "...")]` names who publishes the program, and the project. A person's yes is for one
/// organization: its name is the prefix of the variables (`ACME_TELEMETRY_ENABLED`) and the name of the folders. `resolution = "second"`, `"minute"` (what it is otherwise),
/// `"hour"` or `"day"` says how coarse times are; `endpoint = "https://..."` where data go unless the
/// person says otherwise (required, but for `automagik`, whose default is the policy's server); `privacy_policy = "https://..."` where a
/// person reads about it: the question says so; `include = parser::Parser`, once for each, the schemas of libraries; `metrics = OmniMetrics` what is counted. The version is the package's, or `version = "..."`.
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
