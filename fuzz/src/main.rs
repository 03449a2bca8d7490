//! The targets of `tidings-fuzz` under libFuzzer, which sees which branches an input reaches:
//! `cargo xtask torture coverage` builds and runs it. `TIDINGS_FUZZ_TARGET` names the target.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use tidings_fuzz::{TARGETS, Target};

fn target() -> &'static Target {
    static CHOSEN: OnceLock<&Target> = OnceLock::new();
    CHOSEN.get_or_init(|| {
        let name = std::env::var("TIDINGS_FUZZ_TARGET").expect("TIDINGS_FUZZ_TARGET names a target");
        TARGETS.iter().find(|target| target.name == name).unwrap_or_else(|| panic!("there is no target {name:?}"))
    })
}

fuzz_target!(|input: &[u8]| (target().run)(input));
