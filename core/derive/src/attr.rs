//! Parses `#[label(...)]`, `#[event(...)]`, `#[metric(...)]` and `#[schema(...)]`.

use quote::ToTokens;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, LitStr, Path};

/// A string literal with its place in the source.
pub(crate) type Text = LitStr;

/// `#[label("word")]` on a variant; `#[label(crate = "path")]` on the enum.
#[derive(Default)]
pub(crate) struct LabelAttr {
    pub(crate) word: Option<Text>,
}

/// `#[event(...)]` on a struct.
#[derive(Default)]
pub(crate) struct EventAttr {
    pub(crate) name: Option<Text>,
    pub(crate) severity: Option<Text>,
}

/// `#[event(...)]` on a field.
#[derive(Default)]
pub(crate) struct FieldAttr {
    pub(crate) name: Option<Text>,
    pub(crate) harmless: Option<Text>,
}

/// `#[schema(...)]` on an enum.
#[derive(Default)]
pub(crate) struct SchemaAttr {
    pub(crate) organization: Option<Text>,
    pub(crate) project: Option<Text>,
    pub(crate) version: Option<Text>,
    pub(crate) resolution: Option<Text>,
    pub(crate) endpoint: Option<Text>,
    pub(crate) privacy_policy: Option<Text>,
    pub(crate) metrics: Option<Path>,
    /// The libraries' schemas.
    pub(crate) include: Vec<Path>,
}

/// `#[library(...)]` on an enum.
#[derive(Default)]
pub(crate) struct LibraryAttr {
    pub(crate) metrics: Option<Path>,
}

/// `#[metric(...)]` on a field.
#[derive(Default)]
pub(crate) struct MetricAttr {
    pub(crate) name: Option<Text>,
    pub(crate) by: Option<Text>,
    pub(crate) and: Option<Text>,
}

/// What is wrong, gathered so that a person sees all of it at once.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    pub(crate) fn at(&mut self, place: impl ToTokens, message: impl core::fmt::Display) {
        self.add(syn::Error::new_spanned(place, message));
    }

    pub(crate) fn add(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    pub(crate) fn or<T>(self, value: T) -> Result<T, syn::Error> {
        self.0.map_or(Ok(value), Err)
    }
}

const LITERAL: &str = "write it as a string literal, such as \"list_contacts\": a person must be able to read in the \
                       source all that could be sent, so `env!`, `concat!` and constants are not taken";

pub(crate) fn label(attrs: &[Attribute], errors: &mut Errors) -> LabelAttr {
    let mut parsed = LabelAttr::default();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("label")) {
        match attr.parse_args::<LitStr>() {
            Ok(word) if parsed.word.is_none() => parsed.word = Some(word),
            Ok(word) => errors.at(word, "a variant has one word: remove the second `#[label]`"),
            Err(_) => errors.at(attr, LITERAL),
        }
    }
    parsed
}

pub(crate) fn event(attrs: &[Attribute], errors: &mut Errors) -> EventAttr {
    let mut parsed = EventAttr::default();
    keys(attrs, "event", errors, |meta, errors| {
        set(meta, &mut [("name", &mut parsed.name), ("severity", &mut parsed.severity)], errors)
    });
    parsed
}

pub(crate) fn field(attrs: &[Attribute], errors: &mut Errors) -> FieldAttr {
    let mut parsed = FieldAttr::default();
    keys(attrs, "event", errors, |meta, errors| {
        set(meta, &mut [("name", &mut parsed.name), ("harmless", &mut parsed.harmless)], errors)
    });
    parsed
}

pub(crate) fn schema(attrs: &[Attribute], errors: &mut Errors) -> SchemaAttr {
    let mut parsed = SchemaAttr::default();
    keys(attrs, "schema", errors, |meta, errors| {
        if meta.path.is_ident("metrics") {
            parsed.metrics = Some(meta.value()?.parse()?);
            return Ok(());
        }
        if meta.path.is_ident("include") {
            parsed.include.push(meta.value()?.parse()?);
            return Ok(());
        }
        let known = &mut [
            ("organization", &mut parsed.organization),
            ("project", &mut parsed.project),
            ("version", &mut parsed.version),
            ("resolution", &mut parsed.resolution),
            ("endpoint", &mut parsed.endpoint),
            ("privacy_policy", &mut parsed.privacy_policy),
        ];
        set(meta, known, errors)
    });
    parsed
}

pub(crate) fn library(attrs: &[Attribute], errors: &mut Errors) -> LibraryAttr {
    let mut parsed = LibraryAttr::default();
    keys(attrs, "library", errors, |meta, _| {
        if meta.path.is_ident("metrics") {
            parsed.metrics = Some(meta.value()?.parse()?);
            return Ok(());
        }
        Err(meta.error(
            "there is no such key here: the key is `metrics`; organization, project and endpoint are those of the program that includes the library",
        ))
    });
    parsed
}

pub(crate) fn metric(attrs: &[Attribute], errors: &mut Errors) -> MetricAttr {
    let mut parsed = MetricAttr::default();
    keys(attrs, "metric", errors, |meta, errors| {
        let known = &mut [("name", &mut parsed.name), ("by", &mut parsed.by), ("and", &mut parsed.and)];
        set(meta, known, errors)
    });
    parsed
}

/// The path to this library's facade: `crate = "path"` in any of the attributes, for who re-exports it.
pub(crate) fn facade(attrs: &[Attribute]) -> Path {
    given_facade(attrs).unwrap_or_else(|| syn::parse_quote!(::automagik_telemetry))
}

fn given_facade(attrs: &[Attribute]) -> Option<Path> {
    let mut path = None;
    for attr in attrs {
        if ["label", "event", "schema", "library", "metric"].iter().any(|name| attr.path().is_ident(name)) {
            // Other keys and errors are the business of the functions above.
            let _ = attr.parse_nested_meta(|meta| {
                let value: LitStr = meta.value()?.parse()?;
                if meta.path.is_ident("crate") {
                    path = Some(value.parse()?);
                }
                Ok(())
            });
        }
    }
    path
}

/// Why the facade can't be found under its own name, for the derive whose attribute is `attribute`: the package has it under another
/// one, or not at all. Where the manifest can't be read, or says nothing of the kind, the compiler has the word.
pub(crate) fn missing_facade(attrs: &[Attribute], attribute: &str) -> Option<syn::Error> {
    if given_facade(attrs).is_some() {
        return None;
    }
    let folder = std::env::var_os("CARGO_MANIFEST_DIR")?;
    let manifest = std::fs::read_to_string(std::path::Path::new(&folder).join("Cargo.toml")).ok()?;
    let name = facade_name(&manifest)?;
    Some(syn::Error::new(
        proc_macro2::Span::call_site(),
        format!(
            "this package has no dependency named `automagik-telemetry`: say where it is, as in `#[{attribute}(crate = \"{name}\")]`"
        ),
    ))
}

/// The name that a package's manifest gives the facade, where that is not its own; a stand-in where it has none.
fn facade_name(manifest: &str) -> Option<String> {
    let (mut table, mut renamed) = ("", None);
    for line in manifest.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            table = header.trim_end_matches(']').rsplit('.').next().unwrap_or("");
        }
        if line.replace(' ', "").contains("package=\"automagik-telemetry\"") {
            let key = line.split('=').next().unwrap_or("").trim();
            renamed = Some(if key == "package" { table } else { key }.replace('-', "_"));
        }
    }
    match renamed {
        Some(name) if name == "automagik_telemetry" => None,
        Some(name) => Some(name),
        None if manifest.contains("automagik-telemetry") || manifest.contains("automagik_telemetry") => None,
        None => Some("library::automagik_telemetry".to_owned()),
    }
}

fn keys(
    attrs: &[Attribute],
    name: &str,
    errors: &mut Errors,
    mut each: impl FnMut(&ParseNestedMeta<'_>, &mut Errors) -> syn::Result<()>,
) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(name)) {
        let parsed = attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("crate") {
                return meta.value()?.parse::<LitStr>().map(drop);
            }
            each(&meta, errors)
        });
        if let Err(error) = parsed {
            errors.add(error);
        }
    }
}

fn set(
    meta: &ParseNestedMeta<'_>,
    known: &mut [(&str, &mut Option<Text>)],
    errors: &mut Errors,
) -> syn::Result<()> {
    for (key, slot) in known.iter_mut() {
        if meta.path.is_ident(key) {
            let value = meta.value()?;
            let expression: syn::Expr = value.parse()?;
            match &expression {
                syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) if slot.is_none() => {
                    **slot = Some(text.clone());
                }
                syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(_), .. }) => {
                    errors.at(&meta.path, format!("`{key}` is given twice: remove one"));
                }
                other => errors.at(other, LITERAL),
            }
            return Ok(());
        }
    }
    let keys: Vec<String> = known.iter().map(|(key, _)| format!("`{key}`")).collect();
    Err(meta.error(format!("there is no such key here: the keys are {}", keys.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_says_what_the_facade_is_called() {
        for (manifest, name) in [
            ("[dependencies]\nautomagik-telemetry = \"0.1\"", None),
            ("[dependencies]\nautomagik-telemetry.workspace = true", None),
            (
                "[dependencies]\ntelemetry = { package = \"automagik-telemetry\", version = \"0.1\" }",
                Some("telemetry"),
            ),
            (
                "[dependencies.my-telemetry]\nversion = \"0.1\"\npackage = \"automagik-telemetry\"",
                Some("my_telemetry"),
            ),
            ("[dependencies]\nlibrary = \"1\"", Some("library::automagik_telemetry")),
            ("[dependencies]\nautomagik-telemetry-core = \"0.1\"", None),
        ] {
            assert_eq!(facade_name(manifest).as_deref(), name, "{manifest}");
        }
    }
}
