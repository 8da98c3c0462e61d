//! What a derive is given, checked: its shape, and its words by core's rules.

use crate::attr::{self, Errors, Text};
use automagik_telemetry_core::{event::FIELDS_MAX, schema::POLICY_ORGANIZATION, word};
use heck::ToSnakeCase;
use quote::ToTokens;
use syn::{Data, DeriveInput, Field, Fields, Generics, Ident, Path, Type, Visibility};

const ORGANIZATION: &str = "a schema needs an organization: write `#[schema(organization = \"acme\", ...)]` above it. \
                            Whoever says yes to a program says it to the programs of one organization, and to nobody else's";

const ENDPOINT: &str = "a schema of this organization needs an endpoint: write `endpoint = \"https://telemetry.example.org\"`, \
                        the collector that the organization's data go to. Only programs of `automagik` have a server without one";

/// An enum that is a label.
pub(crate) struct Label<'a> {
    pub(crate) facade: Path,
    pub(crate) ident: &'a Ident,
    pub(crate) variants: Vec<(&'a Ident, String)>,
}

/// A struct that is an event.
pub(crate) struct Event<'a> {
    pub(crate) facade: Path,
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
    pub(crate) name: Text,
    pub(crate) severity: &'static str,
    pub(crate) fields: Vec<EventField<'a>>,
}

/// A field of an event.
pub(crate) struct EventField<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) ty: &'a Type,
    pub(crate) name: Text,
    pub(crate) harmless: Option<Text>,
}

/// An enum that is a schema.
pub(crate) struct Schema<'a> {
    pub(crate) facade: Path,
    pub(crate) ident: &'a Ident,
    pub(crate) organization: Text,
    pub(crate) project: Text,
    pub(crate) version: Option<Text>,
    pub(crate) resolution: &'static str,
    pub(crate) endpoint: Option<Text>,
    pub(crate) privacy_policy: Option<Text>,
    pub(crate) metrics: Option<Path>,
    pub(crate) include: Vec<Path>,
    pub(crate) variants: Vec<(&'a Ident, &'a Type)>,
}

/// An enum that is a library's schema.
pub(crate) struct Library<'a> {
    pub(crate) facade: Path,
    pub(crate) ident: &'a Ident,
    pub(crate) metrics: Option<Path>,
    pub(crate) variants: Vec<(&'a Ident, &'a Type)>,
}

pub(crate) fn label(input: &DeriveInput) -> Result<Label<'_>, syn::Error> {
    let mut errors = Errors::default();
    let mut variants: Vec<(&Ident, String)> = Vec::new();
    if let Data::Enum(data) = &input.data {
        if data.variants.is_empty() {
            errors.at(&input.ident, "a label needs at least one variant: each is a word that may be sent");
        }
        for variant in &data.variants {
            if !matches!(variant.fields, Fields::Unit) {
                let message = "a word of a label can't hold data: what is known only while the program runs may be \
                               personal; make it a field of the event, such as `Count<MAX>` or another label";
                errors.at(&variant.fields, message);
            }
            let said = attr::label(&variant.attrs, &mut errors).word;
            let word = said.as_ref().map_or_else(|| snake_case(&variant.ident), Text::value);
            let place: &dyn ToTokens = said.as_ref().map_or(&variant.ident, |text| text as &dyn ToTokens);
            if let Some(fault) = word::fault(&word) {
                errors.at(place, fault.as_str());
            } else if variants.iter().any(|(_, other)| *other == word) {
                errors.at(place, format!("the word `{word}` stands twice in one label: remove one"));
            }
            variants.push((&variant.ident, word));
        }
    } else {
        errors.at(&input.ident, "a label is an enum: each of its variants is a word that may be sent");
    }
    no_generics(&input.generics, "a label", &mut errors);
    errors.or(Label { facade: attr::facade(&input.attrs), ident: &input.ident, variants })
}

/// A struct of metrics without a fault that can be seen here.
pub(crate) struct Metrics<'a> {
    pub(crate) facade: Path,
    pub(crate) vis: &'a Visibility,
    pub(crate) ident: &'a Ident,
    pub(crate) metrics: Vec<MetricField<'a>>,
}

pub(crate) struct MetricField<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) ty: &'a Type,
    pub(crate) name: Text,
    pub(crate) labels: Vec<Text>,
}

pub(crate) fn event(input: &DeriveInput) -> Result<Event<'_>, syn::Error> {
    let mut errors = Errors::default();
    let said = attr::event(&input.attrs, &mut errors);
    let name = said.name.unwrap_or_else(|| {
        let message = "an event needs a name: write `#[event(name = \"project.thing.happened\")]` above it";
        errors.at(&input.ident, message);
        Text::new("invalid", input.ident.span())
    });
    name_fault("the event name `", &name, &mut errors);
    let severity = match said.severity.as_ref().map(Text::value).as_deref() {
        None | Some("info") => "Info",
        Some("warn") => "Warn",
        Some("error") => "Error",
        Some("fatal") => "Fatal",
        Some(_) => {
            errors.at(said.severity, "a severity is \"info\", \"warn\", \"error\" or \"fatal\"");
            "Info"
        }
    };
    let mut fields: Vec<EventField<'_>> = Vec::new();
    for field in event_fields(input, &mut errors) {
        let Some(ident) = &field.ident else { continue };
        let said = attr::field(&field.attrs, &mut errors);
        let name = said.name.unwrap_or_else(|| Text::new(&plain(ident), ident.span()));
        if name_fault("the field name `", &name, &mut errors)
            && fields.iter().any(|other| other.name.value() == name.value())
        {
            errors.at(&name, format!("two fields are named `{}`: rename one", name.value()));
        }
        fields.push(EventField { ident, ty: &field.ty, name, harmless: said.harmless });
    }
    if fields.len() > FIELDS_MAX {
        errors.at(&input.ident, format!("an event has at most {FIELDS_MAX} fields: split it in two"));
    }
    if let Some(lifetime) = input.generics.lifetimes().next() {
        errors.at(lifetime, "an event borrows nothing: its fields are members of finite sets");
    }
    errors.or(Event {
        facade: attr::facade(&input.attrs),
        ident: &input.ident,
        generics: &input.generics,
        name,
        severity,
        fields,
    })
}

pub(crate) fn schema(input: &DeriveInput) -> Result<Schema<'_>, syn::Error> {
    let mut errors = Errors::default();
    let said = attr::schema(&input.attrs, &mut errors);
    let organization = said.organization.unwrap_or_else(|| {
        errors.at(&input.ident, ORGANIZATION);
        Text::new(POLICY_ORGANIZATION, input.ident.span())
    });
    if let Some(fault) = word::organization_fault(&organization.value()) {
        errors.at(&organization, fault.as_str());
    } else if organization.value() != POLICY_ORGANIZATION && said.endpoint.is_none() {
        errors.at(&organization, ENDPOINT);
    }
    let project = said.project.unwrap_or_else(|| {
        errors.at(&input.ident, "a schema needs a project: write `project = \"omni\"` into `#[schema(...)]`");
        Text::new("invalid", input.ident.span())
    });
    if let Some(fault) = word::project_fault(&project.value()) {
        errors.at(&project, fault.as_str());
    }
    let resolution = match said.resolution.as_ref().map(Text::value).as_deref() {
        Some("second") => "Second",
        None | Some("minute") => "Minute",
        Some("hour") => "Hour",
        Some("day") => "Day",
        Some(_) => {
            errors.at(said.resolution, "a resolution is \"second\", \"minute\", \"hour\" or \"day\"");
            "Minute"
        }
    };
    let variants = variants(input, &mut errors);
    no_generics(&input.generics, "a schema", &mut errors);
    errors.or(Schema {
        facade: attr::facade(&input.attrs),
        ident: &input.ident,
        organization,
        project,
        version: said.version,
        resolution,
        endpoint: said.endpoint,
        privacy_policy: said.privacy_policy,
        metrics: said.metrics,
        include: said.include,
        variants,
    })
}

pub(crate) fn library(input: &DeriveInput) -> Result<Library<'_>, syn::Error> {
    let mut errors = Errors::default();
    let said = attr::library(&input.attrs, &mut errors);
    let variants = variants(input, &mut errors);
    no_generics(&input.generics, "a schema", &mut errors);
    let facade = attr::facade(&input.attrs);
    errors.or(Library { facade, ident: &input.ident, metrics: said.metrics, variants })
}

/// The variants of a schema, each with its event.
fn variants<'a>(input: &'a DeriveInput, errors: &mut Errors) -> Vec<(&'a Ident, &'a Type)> {
    let Data::Enum(data) = &input.data else {
        errors.at(&input.ident, "a schema is an enum: each of its variants holds one event");
        return Vec::new();
    };
    let mut variants = Vec::new();
    for variant in &data.variants {
        match one_field(&variant.fields) {
            Some(field) => variants.push((&variant.ident, &field.ty)),
            None => errors.at(
                variant,
                "a variant of a schema holds one event: write it as `FeatureUsed(FeatureUsed<Feature>)`",
            ),
        }
    }
    variants
}

pub(crate) fn metrics(input: &DeriveInput) -> Result<Metrics<'_>, syn::Error> {
    let mut errors = Errors::default();
    let mut metrics: Vec<MetricField<'_>> = Vec::new();
    match &input.data {
        Data::Struct(syn::DataStruct { fields: Fields::Named(fields), .. }) => {
            for field in &fields.named {
                let Some(ident) = &field.ident else { continue };
                let said = attr::metric(&field.attrs, &mut errors);
                let name = said.name.unwrap_or_else(|| {
                    let message =
                        "a metric needs a name: write `#[metric(name = \"project.thing\", by = \"command\")]` above it";
                    errors.at(ident, message);
                    Text::new("invalid", ident.span())
                });
                if name_fault("the metric name `", &name, &mut errors)
                    && metrics.iter().any(|other| other.name.value() == name.value())
                {
                    errors.at(&name, format!("two metrics are named `{}`: rename one", name.value()));
                }
                let labels = said.by.into_iter().chain(said.and).collect();
                metrics.push(MetricField { ident, ty: &field.ty, name, labels });
            }
        }
        _ => errors.at(
            &input.ident,
            "metrics are a struct with a `Counter` or `Histogram` in each of its named fields",
        ),
    }
    no_generics(&input.generics, "a struct of metrics", &mut errors);
    let (facade, vis) = (attr::facade(&input.attrs), &input.vis);
    errors.or(Metrics { facade, vis, ident: &input.ident, metrics })
}

/// The single field of a tuple variant.
pub(crate) fn one_field(fields: &Fields) -> Option<&Field> {
    match fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => fields.unnamed.first(),
        _ => None,
    }
}

fn event_fields<'a>(input: &'a DeriveInput, errors: &mut Errors) -> Vec<&'a Field> {
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => return fields.named.iter().collect(),
            Fields::Unit => {}
            Fields::Unnamed(fields) => {
                errors.at(fields, "an event's fields have names, for these are sent: write `{ name: Type }`");
            }
        },
        _ => errors.at(&input.ident, "an event is a struct: the alternatives are the variants of a schema"),
    }
    Vec::new()
}

/// Says whether `name` is without fault.
fn name_fault(what: &str, name: &Text, errors: &mut Errors) -> bool {
    match word::name_fault(what, &name.value()) {
        Some(fault) => {
            errors.at(name, fault.as_str());
            false
        }
        None => true,
    }
}

fn no_generics(generics: &Generics, what: &str, errors: &mut Errors) {
    if let Some(parameter) = generics.params.first() {
        errors.at(parameter, format!("{what} has no parameters: its words are fixed when it is compiled"));
    }
}

fn snake_case(ident: &Ident) -> String {
    plain(ident).to_snake_case()
}

/// The name without `r#`.
fn plain(ident: &Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map(str::to_owned).unwrap_or(name)
}
