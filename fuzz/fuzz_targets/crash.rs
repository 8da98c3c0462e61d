#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| automagik_telemetry_fuzz_properties::crash(input));
