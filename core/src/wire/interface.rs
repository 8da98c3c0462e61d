//! What programs see of the std sender is declared twice: there, and in the crate that takes its place in builds without telemetry (`automagik-telemetry-off`),
//! which must not depend on it. Each gives its types methods of its own, so neither can have the other's; what they have in common stands here once.
//!
//! Nothing of it is in a program that is not one of these two.

/// Declares a type of the interface in the module that names it.
#[doc(hidden)]
#[macro_export]
macro_rules! interface {
    ($(#[$about:meta])* failure) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Failure {
            /// The system has no root certificates, so no server can be verified.
            NoCertificates,
            /// The collector's name could not be resolved.
            Resolve,
            /// The connection was refused: nothing listens at that port.
            Refused,
            /// There is no route to the collector.
            Unreachable,
            /// The proxy refused, or did not answer.
            Proxy,
            /// The TLS handshake failed.
            Tls(TlsFailure),
            /// The collector did not answer in time.
            Timeout,
            /// The connection ended before an answer, or the answer is not HTTP.
            Broken,
            /// The collector answered with this status instead of a success.
            Status(u16),
            /// The answer is a web page, such as a captive portal's, and not a collector's.
            Page,
            /// The collector accepted the request except for this many records.
            PartlyRefused(u32),
            /// The request is too large to be sent.
            TooLarge,
        }

        /// Why a TLS handshake failed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum TlsFailure {
            /// No trusted authority issued the server's certificate.
            UnknownAuthority,
            /// The server's certificate has expired.
            Expired,
            /// The server's certificate is not valid yet.
            NotValidYet,
            /// The server's certificate is for another name.
            OtherName,
            /// The server's certificate is damaged, or is not meant for servers.
            BadCertificate,
            /// The server requires a client certificate, or rejected ours.
            ClientCertificate,
            /// The server does not speak TLS at that port, or none of our versions.
            NoTls,
        }
    };
    (start_error) => {
        /// Why telemetry could not start. The program runs without it.
        #[derive(Debug)]
        #[non_exhaustive]
        pub enum StartError {
            /// The endpoint is not valid, so nothing is sent.
            Endpoint {
                /// What is wrong with it.
                error: endpoint::Error,
                /// Who set it.
                set_by: SetBy,
            },
            /// One of the user's settings is not valid, so nothing is sent.
            Setting {
                /// The variable.
                variable: String,
                /// What is wrong with it.
                error: settings::Error,
            },
            /// The platform returned no random numbers for the installation's secret.
            Random,
            /// The platform could not start a thread.
            Thread(io::Error),
        }
    };
    (endpoint) => {
        /// The person's setting (`ACME_TELEMETRY_ENDPOINT`): a base, to which each signal's path is added. Policy: "Self-Hosting".
        pub const ENDPOINT: &str = "ENDPOINT";

        /// The person's setting for events alone: the whole address, used as it is. It beats [`ENDPOINT`].
        pub const LOGS_ENDPOINT: &str = "LOGS_ENDPOINT";

        /// The person's setting for counts and durations alone: the whole address, used as it is. It beats [`ENDPOINT`].
        pub const METRICS_ENDPOINT: &str = "METRICS_ENDPOINT";

        /// Why an endpoint is none.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Error {
            /// It is empty.
            Empty,
            /// It is not a URL.
            NotAUrl,
            /// Its scheme is neither `http` nor `https`.
            Scheme,
            /// It has a query or a fragment, to which no path can be added.
            Query,
            /// It is on another machine, and the signals are not the person's own (see `Environment::at`).
            ElsewhereInATest,
        }

        impl ::core::error::Error for Error {}

        /// Who set the endpoint.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum SetBy {
            /// The person, in this variable.
            Person(String),
            /// The application.
            Application,
            /// Nobody: it is [`DEFAULT`].
            Nobody,
        }
    };
    (settings) => {
        /// Why a setting is wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Error {
            /// It is not of the form `key=value,key=value`, or a key or value can't stand in a header.
            Headers,
            /// It sets this header, which frames the request or says what its body is.
            HeaderOfRequest(&'static str),
            /// The file can't be read, or holds no certificate in PEM.
            Certificate,
            /// The file can't be read, or holds no private key in PEM.
            Key,
            /// The key is not the certificate's, or one of the two is missing.
            Pair,
        }

        impl ::core::error::Error for Error {}
    };
    (became) => {
        /// What became of a request.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Became {
            /// The collector took it.
            Accepted,
            /// The collector will never take it, or a part of it.
            Refused,
            /// No answer came, or one that asks to send it again.
            Unanswered,
        }

        impl Became {
            /// `accepted`, `refused` or `unanswered`.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    Self::Accepted => "accepted",
                    Self::Refused => "refused",
                    Self::Unanswered => "unanswered",
                }
            }
        }
    };
    ($(#[$about:meta])* wording) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug)]
        pub struct Wording {
            /// What a person must know to answer: some lines, the last one with its end.
            pub text: fn(&Question) -> String,
            /// The question itself.
            pub question: fn(&Question) -> String,
            /// What can be typed.
            pub choices: &'static str,
            /// What is a yes, in lower case, of ASCII letters.
            pub yes: &'static [&'static str],
            /// What is a no, beside Enter alone.
            pub no: &'static [&'static str],
            /// Stands before the file that the answer is kept in.
            pub kept_in: &'static str,
            /// The answer can't be kept.
            pub not_kept: &'static str,
            /// The answer is neither yes nor no; what that means follows.
            pub unclear: &'static str,
            /// What an unclear answer means, where that is not to be said in English.
            pub unclear_means: Option<&'static str>,
        }
    };
}
