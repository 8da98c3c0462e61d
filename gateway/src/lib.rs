//! A gateway for frames: it takes them from devices, opens them, checks every ordinal against a manifest, gives them words and time, and forwards
//! standard OTLP. It takes OTLP from programs too, checked in the same way. What leaves has no trace of who sent it.
//!
//! ```text
//!  links: UDP, streams, MQTT, HTTP ──► intake: open, new?, in the domain? ──► kept: one step on disk ──► forward: OTLP ──► collector
//!          ▲                          │ known: manifests, keys                 │                          │
//!          └─ acknowledgement ◄───────┴────────────────────────────────────────┴──────────────────────────┘ as the operator chose
//! ```
//!
//! This library is what the program `telemetry-gateway` is made of; it promises no interface.

// The derives of simulated devices name the facade.
extern crate automagik_telemetry_core as automagik_telemetry;

pub mod known;
pub mod counts;
pub mod intake;
pub mod kept;
pub mod forward;
pub mod links;
pub mod run;
pub mod serve;
pub mod tools;
