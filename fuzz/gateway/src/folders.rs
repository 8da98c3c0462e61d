//! Files in the folders of keys and manifests.

use automagik_telemetry_gateway::known::keys::Keys;
use automagik_telemetry_gateway::known::manifests::Manifests;

/// `input` is a file: it is read, or refused with an error that names the file and shows nothing of it.
///
/// # Panics
///
/// Where the property does not hold.
pub fn folders(input: &[u8]) {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    for name in ["fleet.key", "omni.cbor"] {
        std::fs::write(folder.path().join(name), input).expect("it can be written");
    }
    if let Err(error) = Keys::load(folder.path()) {
        let error = error.to_string();
        assert!(error.contains("fleet.key"), "{error}");
        let text = String::from_utf8_lossy(input);
        let mut keys = text.lines().filter_map(|line| line.split('#').next()).map(str::trim);
        let is_key = |key: &str| key.len() > 16 && key.bytes().all(|digit| digit.is_ascii_hexdigit());
        let shown = keys.find(|key| is_key(key) && error.contains(*key));
        assert_eq!(shown, None, "a key is shown");
    }
    match Manifests::load(folder.path()) {
        Ok(manifests) => assert_eq!(manifests.all().count(), 1),
        Err(error) => assert!(error.to_string().contains("omni.cbor"), "{error}"),
    }
}
