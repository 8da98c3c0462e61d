//! The resource: what every request says about where it comes from.
//!
//! | attribute | value |
//! |---|---|
//! | `service.name`, `service.version` | constants of the schema |
//! | `telemetry.sdk.name`, `.language`, `.version` | constants of this library |
//! | `os.type`, `host.arch` | constants of the build target |
//! | `app.installation.id` | the [`Pseudonym`], 32 hexadecimal digits |
//!
//! Nothing else: no host, no process, no user, no version of the kernel. The names are OpenTelemetry's
//! ([semantic conventions 1.44](https://opentelemetry.io/docs/specs/semconv/resource/)).

use crate::person::pseudonym::Pseudonym;
use crate::schemas::schema::SchemaDescriptor;

/// The version of the conventions that the names follow: OTLP's `schema_url`.
pub const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.44.0";

/// `telemetry.sdk.name`, and the name of the instrumentation scope.
pub const SDK_NAME: &str = "automagik-telemetry";

/// `telemetry.sdk.version`, and the version of the instrumentation scope.
pub const SDK_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The attribute that holds the [`Pseudonym`].
pub const INSTALLATION_ID: &str = "app.installation.id";

/// `os.type` of the build target, or `None` on bare metal.
pub const OS_TYPE: Option<&str> = if cfg!(target_os = "linux") || cfg!(target_os = "android") {
    Some("linux")
} else if cfg!(target_vendor = "apple") {
    Some("darwin")
} else if cfg!(target_os = "windows") {
    Some("windows")
} else if cfg!(target_os = "freebsd") {
    Some("freebsd")
} else if cfg!(target_os = "netbsd") {
    Some("netbsd")
} else if cfg!(target_os = "openbsd") {
    Some("openbsd")
} else if cfg!(target_os = "dragonfly") {
    Some("dragonflybsd")
} else if cfg!(target_os = "solaris") || cfg!(target_os = "illumos") {
    Some("solaris")
} else if cfg!(target_os = "aix") {
    Some("aix")
} else {
    None
};

/// `host.arch` of the build target, or `None` if it has no usual name.
pub const HOST_ARCH: Option<&str> = if cfg!(target_arch = "x86_64") {
    Some("amd64")
} else if cfg!(target_arch = "aarch64") {
    Some("arm64")
} else if cfg!(target_arch = "arm") {
    Some("arm32")
} else if cfg!(target_arch = "x86") {
    Some("x86")
} else if cfg!(target_arch = "riscv32") {
    Some("riscv32")
} else if cfg!(target_arch = "riscv64") {
    Some("riscv64")
} else if cfg!(target_arch = "powerpc64") {
    Some("ppc64")
} else if cfg!(target_arch = "powerpc") {
    Some("ppc32")
} else if cfg!(target_arch = "s390x") {
    Some("s390x")
} else {
    None
};

/// The program's name.
pub(crate) const SERVICE_NAME: &str = "service.name";

/// The program's version.
pub(crate) const SERVICE_VERSION: &str = "service.version";

/// The attributes that are constants of the build, in their order; a target may lack some.
pub(crate) const BUILD: [(&str, Option<&str>); 5] = [
    ("telemetry.sdk.name", Some(SDK_NAME)),
    ("telemetry.sdk.language", Some("rust")),
    ("telemetry.sdk.version", Some(SDK_VERSION)),
    ("os.type", OS_TYPE),
    ("host.arch", HOST_ARCH),
];

/// The value of a resource attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// A constant.
    Word(&'static str),
    /// The pseudonym in hexadecimal digits.
    Hex([u8; 2 * Pseudonym::LEN]),
}

impl Text {
    /// Returns the value's bytes, ASCII.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Word(word) => word.as_bytes(),
            Self::Hex(digits) => digits,
        }
    }
}

/// Where requests come from: a schema and an installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resource {
    schema: &'static SchemaDescriptor,
    pseudonym: Pseudonym,
}

impl Resource {
    /// The resource of `pseudonym`'s installation, which runs the program of `schema`.
    #[must_use]
    pub const fn new(schema: &'static SchemaDescriptor, pseudonym: Pseudonym) -> Self {
        Self { schema, pseudonym }
    }

    /// Returns the program's schema.
    #[must_use]
    pub const fn schema(&self) -> &'static SchemaDescriptor {
        self.schema
    }

    /// Returns the attributes, key and value.
    ///
    /// ```
    /// # use automagik_telemetry_core::{Event, FeatureUsed, Label, Pseudonym, Schema, Secret};
    /// # use automagik_telemetry_core::consent::{Answer, Signals, decide};
    /// # use automagik_telemetry_core::event::{EventDescriptor, Ordinals};
    /// # use automagik_telemetry_core::{resource::{Resource, Text}, schema::Checked};
    /// # struct Omni;
    /// # impl Schema for Omni {
    /// #     const ORGANIZATION: &'static str = "automagik";
    /// #     const PROJECT: &'static str = "omni";
    /// #     const VERSION: &'static str = "1.0.0";
    /// #     const EVENTS: &'static [EventDescriptor] = &[];
    /// #     fn position(&self) -> (u16, Ordinals) { (0, Ordinals::new([])) }
    /// # }
    /// # let yes = decide(&Signals { variable: Answer::Yes, ..Signals::default() }).consent().unwrap();
    /// # let pseudonym = Pseudonym::new(&Secret::new([7; 32], yes), "omni", 0);
    /// let resource = Resource::new(Checked::<Omni>::DESCRIPTOR, pseudonym);
    /// assert_eq!(resource.attributes().next(), Some(("service.name", Text::Word("omni"))));
    /// ```
    pub fn attributes(&self) -> impl Iterator<Item = (&'static str, Text)> + '_ {
        let id = (INSTALLATION_ID, Text::Hex(self.pseudonym.hex()));
        constants(self.schema).map(|(key, word)| (key, Text::Word(word))).chain([id])
    }

    /// Who it is that speaks.
    pub(crate) const fn pseudonym(&self) -> &Pseudonym {
        &self.pseudonym
    }
}

/// Returns the attributes that every installation of `schema`'s program has alike.
pub fn constants(schema: &SchemaDescriptor) -> impl Iterator<Item = (&'static str, &'static str)> {
    let program = [(SERVICE_NAME, schema.project()), (SERVICE_VERSION, schema.version())];
    program.into_iter().chain(BUILD.into_iter().filter_map(|(key, word)| Some((key, word?))))
}
