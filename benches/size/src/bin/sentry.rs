//! With sentry, as its documentation shows it.

fn main() {
    let _guard = sentry::init(("https://public@sentry.example.org/1", sentry::ClientOptions::default()));
    short_program::work();
    sentry::capture_message("omni instance", sentry::Level::Info);
}
