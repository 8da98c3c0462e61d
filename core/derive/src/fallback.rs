//! An implementation even where something is wrong, so that one mistake is one error and not ten.

use crate::{attr, check, emit};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput};

pub(crate) fn label(input: &DeriveInput, errors: &syn::Error) -> TokenStream {
    let (facade, ident, errors) = (attr::facade(&input.attrs), &input.ident, errors.to_compile_error());
    if !input.generics.params.is_empty() {
        return errors;
    }
    quote! {
        #errors
        #[automatically_derived]
        impl #facade::aggregate::Counted for #ident {
            type Of<T: #facade::cell::Cells> = [T; 1];
        }
        #[automatically_derived]
        impl #facade::Label for #ident {
            const WORDS: &'static [&'static str] = &["invalid"];
            fn ordinal(&self) -> u32 { 0 }
        }
    }
}

pub(crate) fn event(input: &DeriveInput, errors: &syn::Error) -> TokenStream {
    let (facade, ident, errors) = (attr::facade(&input.attrs), &input.ident, errors.to_compile_error());
    let (parameters, arguments, bounds) = input.generics.split_for_impl();
    quote! {
        #errors
        #[automatically_derived]
        impl #parameters #facade::Event for #ident #arguments #bounds {
            const DESCRIPTOR: #facade::event::EventDescriptor = #facade::event::EventDescriptor {
                name: "invalid",
                severity: #facade::Severity::Info,
                fields: &[],
            };
            fn ordinals(&self) -> #facade::event::Ordinals {
                #facade::event::Ordinals::new([])
            }
        }
    }
}

pub(crate) fn metrics(input: &DeriveInput, errors: &syn::Error) -> TokenStream {
    let (facade, ident, errors) = (attr::facade(&input.attrs), &input.ident, errors.to_compile_error());
    if !input.generics.params.is_empty() {
        return errors;
    }
    quote! {
        #errors
        #[automatically_derived]
        impl #facade::aggregate::Metrics for #ident {
            const DESCRIPTORS: &'static [#facade::metric::MetricDescriptor] = &[];
            fn global() -> &'static Self { ::core::unreachable!() }
            fn cell(&self, _: usize, _: usize) -> ::core::option::Option<&#facade::cell::Cell> {
                ::core::option::Option::None
            }
        }
    }
}

pub(crate) fn library(input: &DeriveInput, errors: &syn::Error) -> TokenStream {
    let (facade, ident, errors) = (attr::facade(&input.attrs), &input.ident, errors.to_compile_error());
    let (parameters, arguments, bounds) = input.generics.split_for_impl();
    let includes = includes(&facade, input);
    quote! {
        #errors
        #[automatically_derived]
        impl #parameters #facade::Library for #ident #arguments #bounds {
            const EVENTS: &'static [#facade::event::EventDescriptor] = &[];
            fn position(&self) -> (u16, #facade::event::Ordinals) {
                (0, #facade::event::Ordinals::new([]))
            }
        }
        #includes
    }
}

/// What can be recorded all the same.
fn includes(facade: &syn::Path, input: &DeriveInput) -> TokenStream {
    let Data::Enum(data) = &input.data else { return TokenStream::new() };
    let one_event = data.variants.iter().filter_map(|variant| {
        let ty = &check::one_field(&variant.fields)?.ty;
        Some(emit::include(facade, &input.ident, &variant.ident, ty))
    });
    one_event.collect()
}

pub(crate) fn schema(input: &DeriveInput, errors: &syn::Error) -> TokenStream {
    let (facade, ident, errors) = (attr::facade(&input.attrs), &input.ident, errors.to_compile_error());
    let (parameters, arguments, bounds) = input.generics.split_for_impl();
    let includes = includes(&facade, input);
    quote! {
        #errors
        #[automatically_derived]
        impl #parameters #facade::Schema for #ident #arguments #bounds {
            const ORGANIZATION: &'static str = "automagik";
            const PROJECT: &'static str = "invalid";
            const VERSION: &'static str = "0";
            const EVENTS: &'static [#facade::event::EventDescriptor] = &[];
            fn position(&self) -> (u16, #facade::event::Ordinals) {
                (0, #facade::event::Ordinals::new([]))
            }
        }
        #includes
    }
}
