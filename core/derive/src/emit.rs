//! Writes the tables.

use crate::attr::Text;
use crate::check::{Event, Label, Metrics, Schema};
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
    let Schema { facade, ident, project, version, resolution, endpoint, metrics, variants } = schema;
    let metrics = metrics.as_ref().map(|metrics| {
        let named = Ident::new(NAMED_BY_A_SCHEMA, metrics.span());
        quote_spanned! {metrics.span()=>
            const METRICS: &'static [#facade::metric::MetricDescriptor] =
                <#metrics as #facade::aggregate::Metrics>::DESCRIPTORS;
            fn cell(position: usize, index: usize) -> ::core::option::Option<&'static #facade::cell::Cell> {
                let () = <#metrics>::#named;
                let metrics = <#metrics as #facade::aggregate::Metrics>::global();
                #facade::aggregate::Metrics::cell(metrics, position, index)
            }
        }
    });
    let endpoint = optional(endpoint.as_ref());
    let version = version.as_ref().map_or_else(|| quote!(env!("CARGO_PKG_VERSION")), |text| quote!(#text));
    let resolution = format_ident!("{resolution}");
    let names: Vec<_> = variants.iter().map(|(name, _)| name).collect();
    let types: Vec<_> = variants.iter().map(|(_, ty)| ty).collect();
    let descriptors = types.iter().map(|ty| quote_spanned!(ty.span()=> <#ty as #facade::Event>::DESCRIPTOR));
    let checks = types.iter().map(|ty| {
        fail_at(ty.span(), &quote_spanned!(ty.span()=> <#ty as #facade::Event>::DESCRIPTOR.fault()))
    });
    let frame = fail_at(
        ident.span(),
        &quote!(#facade::schema::frame_fault(
            <#ident as #facade::Schema>::PROJECT,
            <#ident as #facade::Schema>::VERSION,
            <#ident as #facade::Schema>::ENDPOINT,
            <#ident as #facade::Schema>::EVENTS,
        )),
    );
    let positions = 0_u16..;
    let ordinals =
        types.iter().map(|ty| quote_spanned!(ty.span()=> <#ty as #facade::Event>::ordinals(event)));
    let includes = variants.iter().map(|(name, ty)| include(facade, ident, name, ty));
    quote! {
        #[automatically_derived]
        impl #facade::Schema for #ident {
            const PROJECT: &'static str = #project;
            const VERSION: &'static str = #version;
            const RESOLUTION: #facade::time::Resolution = #facade::time::Resolution::#resolution;
            const ENDPOINT: ::core::option::Option<&'static str> = #endpoint;
            const EVENTS: &'static [#facade::event::EventDescriptor] = {
                #(#checks)*
                &[#(#descriptors),*]
            };
            #metrics
            #[inline]
            fn position(&self) -> (u16, #facade::event::Ordinals) {
                match *self {
                    #(Self::#names(ref event) => (#positions, #ordinals),)*
                }
            }
        }
        #(#includes)*
        const _: () = { #frame };
    }
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
