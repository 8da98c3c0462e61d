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
    pub(crate) project: Option<Text>,
    pub(crate) version: Option<Text>,
    pub(crate) resolution: Option<Text>,
    pub(crate) endpoint: Option<Text>,
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
        let known = &mut [
            ("project", &mut parsed.project),
            ("version", &mut parsed.version),
            ("resolution", &mut parsed.resolution),
            ("endpoint", &mut parsed.endpoint),
        ];
        set(meta, known, errors)
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
    let mut path = syn::parse_quote!(::automagik_telemetry);
    for attr in attrs {
        if ["label", "event", "schema", "metric"].iter().any(|name| attr.path().is_ident(name)) {
            // Other keys and errors are the business of the functions above.
            let _ = attr.parse_nested_meta(|meta| {
                let value: LitStr = meta.value()?.parse()?;
                if meta.path.is_ident("crate") {
                    path = value.parse()?;
                }
                Ok(())
            });
        }
    }
    path
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
