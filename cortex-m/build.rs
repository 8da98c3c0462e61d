//! Whether the core has registers that tell faults apart: ARMv6-M and the baseline of ARMv8-M have none.

fn main() {
    let target = std::env::var("TARGET").unwrap_or_default();
    let is_mainline = ["thumbv7", "thumbv8m.main"].iter().any(|start| target.starts_with(start));
    if is_mainline {
        println!("cargo:rustc-cfg=fault_status");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
