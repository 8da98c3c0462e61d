//! What a library records to: the program's handle, narrowed to the library's own events.

use crate::files::clock;
use crate::handle::telemetry::{Handle, Telemetry};
use automagik_telemetry_core::time::Coarse;
use automagik_telemetry_core::{Includes, IncludesLibrary, Library, Record, Schema};
use core::marker::PhantomData;
use std::fmt;
use std::sync::Arc;

/// Records the events of the library `L`, under the schema, the consent and the identity of the program that includes it. Made by
/// [`Telemetry::library`](crate::Telemetry::library); cheap to clone.
///
/// A library takes one where it is set up, and [`off`](LibraryTelemetry::off) stands for it in a program without telemetry. Keep it no
/// longer than the program keeps its own handle: what was recorded is written to disk when the last of both is dropped.
///
/// ```
/// # use automagik_telemetry_core::{FeatureUsed, Label};
/// # use automagik_telemetry_derive::{Label, Schema};
/// # extern crate automagik_telemetry_core as automagik_telemetry;
/// # use automagik_telemetry_std::{LibraryTelemetry, Telemetry};
/// mod parser {
/// #   use automagik_telemetry_core::{FeatureUsed, Label, Library};
/// #   use automagik_telemetry_derive::{Label, Library};
/// #   use automagik_telemetry_std::LibraryTelemetry;
///     /// All that this library can record.
///     #[derive(Library)]
///     pub enum Events { Syntax(FeatureUsed<Syntax>) }
///
///     #[derive(Label, Clone, Copy)]
///     pub enum Syntax { Table, Footnote }
///
///     pub fn parse(text: &str, telemetry: &LibraryTelemetry<Events>) {
///         if text.contains('|') {
///             telemetry.record(FeatureUsed { feature: Syntax::Table });
///         }
///     }
/// }
///
/// # #[derive(Label, Clone, Copy)]
/// # enum Feature { Export }
/// #[derive(Schema)]
/// #[schema(organization = "automagik", project = "omni", include = parser::Events)]
/// enum Omni { Feature(FeatureUsed<Feature>) }
///
/// let telemetry = Telemetry::<Omni>::builder().start();
/// parser::parse("a | b", &telemetry.library());
/// parser::parse("a | b", &LibraryTelemetry::off());
/// ```
pub struct LibraryTelemetry<L> {
    /// The program's handle, and the position of the library's first event in its schema.
    to: Option<(Arc<Handle>, u16)>,
    library: PhantomData<fn(L)>,
}

impl<L: Library> LibraryTelemetry<L> {
    /// Returns a handle that records nothing, for a program without telemetry.
    #[must_use]
    pub const fn off() -> Self {
        Self { to: None, library: PhantomData }
    }

    pub(crate) fn new(handle: Arc<Handle>, first: u16) -> Self {
        Self { to: Some((handle, first)), library: PhantomData }
    }

    /// Records `event`, as [`Telemetry::record`](crate::Telemetry::record) does.
    #[inline]
    pub fn record<E>(&self, event: E)
    where
        L: Includes<E>,
    {
        let Some((handle, first)) = &self.to else { return };
        if let Some(running) = handle.running() {
            let schema = handle.schema();
            let time = Coarse::from_unix_seconds(clock::unix_seconds(), schema.resolution());
            running.recorder.push(Record::of_library(&L::include(event), *first, schema, time));
        }
    }
}

impl<S: Schema> Telemetry<S> {
    /// Returns what the library `L` records to; the program's schema includes it. See [`LibraryTelemetry`].
    #[must_use]
    pub fn library<L: Library>(&self) -> LibraryTelemetry<L>
    where
        S: IncludesLibrary<L>,
    {
        LibraryTelemetry::new(Arc::clone(self.handle()), S::FIRST)
    }
}

impl<L> Clone for LibraryTelemetry<L> {
    fn clone(&self) -> Self {
        Self { to: self.to.clone(), library: PhantomData }
    }
}

impl<L> fmt::Debug for LibraryTelemetry<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LibraryTelemetry").field("off", &self.to.is_none()).finish_non_exhaustive()
    }
}
