//! Writes the tables.

use crate::attr::Text;
use crate::check::{Event, Label, Library, Metrics, Schema};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, Path, Type, Visibility};

pub(crate) fn label(label: &Label<'_>) -> TokenStream {
    let Label { facade, ident, variants } = label;
    let names = variants.iter().map(|(name, _)| name);
    let words = variants.iter().map(|(_, word)| word);
    let ordinals = 0_u32..;
    let count = variants.len();
    quote! {
        #[automatically_derived]
        impl #facade::aggregate::Counted for #ident {
            type Of<T: #facade::cell::Cells> = [T; #count];
        }
        #[automatically_derived]
        impl #facade::Label for #ident {
            const WORDS: &'static [&'static str] = &[#(#words),*];
            #[inline]
            fn ordinal(&self) -> u32 {
                match self { #(Self::#names => #ordinals,)* }
            }
        }
    }
}

pub(crate) fn event(event: &Event<'_>) -> TokenStream {
    let Event { facade, ident, generics, name, severity, fields } = event;
    let severity = format_ident!("{severity}");
    let descriptors: Vec<TokenStream> = fields
        .iter()
        .map(|field| {
            let (ty, name) = (field.ty, &field.name);
            let harmless = optional(field.harmless.as_ref());
            // Where `ty` is no field, this and the ordinal below are the same error at the same place: one.
            quote_spanned!(ty.span()=> #facade::event::FieldDescriptor {
                name: #name,
                domain: <#ty as #facade::Field>::DOMAIN,
                harmless: #harmless,
            })
        })
        .collect();
    // The guarantee is core's; these put the error at the field to change, under `cargo check` already.
    let checks = fields
        .iter()
        .zip(&descriptors)
        .map(|(field, descriptor)| fail_at(field.ty.span(), &quote!((#descriptor).fault())));
    let budget = fail_at(ident.span(), &quote!(descriptor.fault()));
    let ordinals = fields.iter().map(|field| {
        let (name, ty) = (field.ident, field.ty);
        quote_spanned!(ty.span()=> <#ty as #facade::Field>::ordinal(&self.#name))
    });
    let concrete = generics.params.is_empty().then(|| {
        quote! { const _: () = { let _ = <#ident as #facade::Event>::DESCRIPTOR; }; }
    });
    let mut bounded = (*generics).clone();
    if !generics.params.is_empty() {
        let types = fields.iter().map(|field| field.ty);
        bounded
            .make_where_clause()
            .predicates
            .extend(types.map(|ty| -> syn::WherePredicate { syn::parse_quote!(#ty: #facade::Field) }));
    }
    let (parameters, arguments, _) = generics.split_for_impl();
    let (_, _, bounds) = bounded.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #parameters #facade::Event for #ident #arguments #bounds {
            const DESCRIPTOR: #facade::event::EventDescriptor = {
                #(#checks)*
                let descriptor = #facade::event::EventDescriptor {
                    name: #name,
                    severity: #facade::Severity::#severity,
                    fields: const { &[#(#descriptors),*] },
                };
                #budget
                descriptor
            };
            #[inline]
            fn ordinals(&self) -> #facade::event::Ordinals {
                #facade::event::Ordinals::new([#(#ordinals),*])
            }
        }
        #concrete
    }
}

pub(crate) fn schema(schema: &Schema<'_>) -> TokenStream {
    let Schema { facade, ident, organization, project, version, resolution, include, variants, .. } = schema;
    let (endpoint, privacy_policy) =
        (optional(schema.endpoint.as_ref()), optional(schema.privacy_policy.as_ref()));
    let version = version.as_ref().map_or_else(|| quote!(env!("CARGO_PKG_VERSION")), |text| quote!(#text));
    let resolution = format_ident!("{resolution}");
    let own_events = variants.len();
    let own = events(facade, variants);
    let events = if include.is_empty() {
        own
    } else {
        quote!({
            const PARTS: &[&[#facade::event::EventDescriptor]] =
                &[#own, #(<#include as #facade::Library>::EVENTS),*];
            const ALL: [#facade::event::EventDescriptor; #facade::schema::count(PARTS)] =
                #facade::schema::join(PARTS, #facade::loss::EVENT_DROPPED);
            &ALL
        })
    };
    let metrics = metrics_of(facade, schema.metrics.as_ref(), include);
    let position = position(facade, variants);
    let includes = variants.iter().map(|(name, ty)| self::include(facade, ident, name, ty));
    let libraries = include.iter().enumerate().map(|(at, library)| {
        let before = &include[..at];
        quote_spanned! {library.span()=>
            #[automatically_derived]
            impl #facade::IncludesLibrary<#library> for #ident {
                const FIRST: u16 =
                    (#own_events #(+ <#before as #facade::Library>::EVENTS.len())*) as u16;
            }
        }
    });
    let frame = fail_at(
        ident.span(),
        &quote!(#facade::schema::frame_fault(
            &#facade::schema::Frame::of::<#ident>(),
            <#ident as #facade::Schema>::EVENTS,
            <#ident as #facade::Schema>::OWN_EVENTS,
        )),
    );
    quote! {
        #[automatically_derived]
        impl #facade::Schema for #ident {
            const ORGANIZATION: &'static str = #organization;
            const PROJECT: &'static str = #project;
            const VERSION: &'static str = #version;
            const RESOLUTION: #facade::time::Resolution = #facade::time::Resolution::#resolution;
            const ENDPOINT: ::core::option::Option<&'static str> = #endpoint;
            const PRIVACY_POLICY: ::core::option::Option<&'static str> = #privacy_policy;
            const EVENTS: &'static [#facade::event::EventDescriptor] = #events;
            const OWN_EVENTS: usize = #own_events;
            #metrics
            #position
        }
        #(#includes)*
        #(#libraries)*
        const _: () = { #frame };
    }
}

pub(crate) fn library(library: &Library<'_>) -> TokenStream {
    let Library { facade, ident, metrics, variants } = library;
    let events = events(facade, variants);
    let metrics = metrics_of(facade, metrics.as_ref(), &[]);
    let position = position(facade, variants);
    let includes = variants.iter().map(|(name, ty)| include(facade, ident, name, ty));
    quote! {
        #[automatically_derived]
        impl #facade::Library for #ident {
            const EVENTS: &'static [#facade::event::EventDescriptor] = #events;
            #metrics
            #position
        }
        #(#includes)*
        const _: () = { let _ = <#ident as #facade::Library>::EVENTS; };
    }
}

/// The descriptors of the events of `variants`, each checked at its place.
fn events(facade: &Path, variants: &[(&Ident, &Type)]) -> TokenStream {
    let types: Vec<_> = variants.iter().map(|(_, ty)| ty).collect();
    let descriptors = types.iter().map(|ty| quote_spanned!(ty.span()=> <#ty as #facade::Event>::DESCRIPTOR));
    let checks = types.iter().map(|ty| {
        fail_at(ty.span(), &quote_spanned!(ty.span()=> <#ty as #facade::Event>::DESCRIPTOR.fault()))
    });
    quote!({
        #(#checks)*
        &[#(#descriptors),*]
    })
}

fn position(facade: &Path, variants: &[(&Ident, &Type)]) -> TokenStream {
    let names = variants.iter().map(|(name, _)| name);
    let positions = 0_u16..;
    let ordinals =
        variants.iter().map(|(_, ty)| quote_spanned!(ty.span()=> <#ty as #facade::Event>::ordinals(event)));
    quote! {
        #[inline]
        fn position(&self) -> (u16, #facade::event::Ordinals) {
            match *self {
                #(Self::#names(ref event) => (#positions, #ordinals),)*
            }
        }
    }
}

/// The tables of `metrics` and of the libraries behind them, and their cells.
fn metrics_of(facade: &Path, metrics: Option<&Path>, libraries: &[Path]) -> Option<TokenStream> {
    let own = metrics.map(|metrics| {
        let named = Ident::new(NAMED_BY_A_SCHEMA, metrics.span());
        (
            quote_spanned!(metrics.span()=> <#metrics as #facade::aggregate::Metrics>::DESCRIPTORS),
            quote_spanned! {metrics.span()=> {
                let () = <#metrics>::#named;
                let metrics = <#metrics as #facade::aggregate::Metrics>::global();
                #facade::aggregate::Metrics::cell(metrics, position, index)
            }},
        )
    });
    let others = libraries.iter().map(|library| {
        let descriptors = quote_spanned!(library.span()=> <#library as #facade::Library>::METRICS);
        let cell = quote_spanned!(library.span()=> <#library as #facade::Library>::cell(position, index));
        (descriptors, cell)
    });
    let (parts, cells): (Vec<_>, Vec<_>) = own.into_iter().chain(others).unzip();
    let all = match parts.as_slice() {
        [] => return None,
        [one] => one.clone(),
        parts => quote!({
            const PARTS: &[&[#facade::metric::MetricDescriptor]] = &[#(#parts),*];
            const FILLER: #facade::metric::MetricDescriptor = #facade::metric::MetricDescriptor {
                name: "",
                unit: "",
                kind: #facade::metric::Kind::Counter,
                labels: &[],
                domains: &[],
            };
            const ALL: [#facade::metric::MetricDescriptor; #facade::schema::count(PARTS)] =
                #facade::schema::join(PARTS, FILLER);
            &ALL
        }),
    };
    Some(quote! {
        const METRICS: &'static [#facade::metric::MetricDescriptor] = #all;
        fn cell(position: usize, index: usize) -> ::core::option::Option<&'static #facade::cell::Cell> {
            #(let position = match position.checked_sub(#parts.len()) {
                ::core::option::Option::None => return #cells,
                ::core::option::Option::Some(position) => position,
            };)*
            let _ = position;
            ::core::option::Option::None
        }
    })
}

pub(crate) fn metrics(metrics: &Metrics<'_>) -> TokenStream {
    let Metrics { facade, vis, ident, metrics } = metrics;
    let named = named_by_a_schema(vis, ident);
    let descriptors: Vec<TokenStream> = metrics
        .iter()
        .map(|metric| {
            let (ty, name, labels) = (metric.ty, &metric.name, &metric.labels);
            quote_spanned!(ty.span()=> #facade::metric::MetricDescriptor {
                name: #name,
                unit: <#ty as #facade::aggregate::Metric>::UNIT,
                kind: <#ty as #facade::aggregate::Metric>::KIND,
                labels: &[#(#labels),*],
                domains: <#ty as #facade::aggregate::Metric>::DOMAINS,
            })
        })
        .collect();
    // The guarantee is core's; these put the error at the metric to change, under `cargo check` already.
    let checks = metrics
        .iter()
        .zip(&descriptors)
        .map(|(metric, descriptor)| fail_at(metric.ty.span(), &quote!((#descriptor).fault())));
    let names: Vec<_> = metrics.iter().map(|metric| metric.ident).collect();
    let types = metrics.iter().map(|metric| metric.ty);
    let positions = 0_usize..;
    quote! {
        #[automatically_derived]
        impl #facade::aggregate::Metrics for #ident {
            const DESCRIPTORS: &'static [#facade::metric::MetricDescriptor] = {
                #(#checks)*
                &[#(#descriptors),*]
            };
            fn global() -> &'static Self {
                static GLOBAL: #ident = #ident { #(#names: <#types as #facade::aggregate::Metric>::ZERO),* };
                &GLOBAL
            }
            fn cell(&self, position: usize, index: usize) -> ::core::option::Option<&#facade::cell::Cell> {
                match position {
                    #(#positions => #facade::aggregate::Metric::cell(&self.#names, index),)*
                    _ => ::core::option::Option::None,
                }
            }
        }
        const _: () = { let _ = <#ident as #facade::aggregate::Metrics>::DESCRIPTORS; };
        #named
    }
}

/// What only a schema uses that names these metrics: where none does, the compiler says so. Visible where the struct is; one that other
/// crates may name is their business.
fn named_by_a_schema(vis: &Visibility, ident: &Ident) -> TokenStream {
    let name = Ident::new(NAMED_BY_A_SCHEMA, ident.span());
    quote_spanned! {ident.span()=>
        impl #ident {
            #[doc(hidden)]
            #[deny(dead_code)]
            #vis const #name: () = ();
        }
    }
}

/// The name says what to do, since the compiler prints nothing else.
const NAMED_BY_A_SCHEMA: &str = "NO_SCHEMA_SAYS_METRICS_EQUALS_THIS";

/// The schema `ident` includes the event `ty` as its variant `name`.
pub(crate) fn include(facade: &Path, ident: &Ident, name: &Ident, ty: &Type) -> TokenStream {
    // The compiler shows an error about the whole path where its first token stands.
    let facade = at(ty.span(), facade);
    quote_spanned! {ty.span()=>
        #[automatically_derived]
        impl #facade::Includes<#ty> for #ident {
            #[inline]
            fn include(event: #ty) -> Self {
                Self::#name(event)
            }
        }
    }
}

fn optional(text: Option<&Text>) -> TokenStream {
    match text {
        Some(text) => quote!(::core::option::Option::Some(#text)),
        None => quote!(::core::option::Option::None),
    }
}

/// The tokens of `path`, as if they stood at `place`.
fn at(place: Span, path: &Path) -> TokenStream {
    let tokens = path.to_token_stream().into_iter().map(|mut token| {
        token.set_span(place);
        token
    });
    tokens.collect()
}

/// A statement that fails const evaluation at `place` where `fault` is a message.
fn fail_at(place: Span, fault: &TokenStream) -> TokenStream {
    quote_spanned! {place=>
        if let ::core::option::Option::Some(message) = #fault {
            ::core::panic!("{}", message.as_str())
        }
    }
}
