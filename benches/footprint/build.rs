//! Tells the linker of the memory of lm3s6965evb, as `tests/firmware` does. With `SHOW_PANICS=1` it links images that panic all the same, so that
//! `llvm-objdump -d` can show where.

const MEMORY: &str = "../../tests/firmware/memory.x";

fn main() {
    let out = std::path::PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    std::fs::copy(MEMORY, out.join("memory.x")).unwrap();
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rustc-link-arg=-Tlink.x");
    if std::env::var_os("SHOW_PANICS").is_some() {
        println!("cargo:rustc-link-arg=--defsym=a_panic_can_be_reached=1");
    }
    println!("cargo:rerun-if-env-changed=SHOW_PANICS");
    println!("cargo:rerun-if-changed={MEMORY}");
}
