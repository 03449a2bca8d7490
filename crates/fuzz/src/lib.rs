//! Everything that reads what strangers write, fed with inputs that nobody would write.
//!
//! Each target takes any bytes, and asserts what holds for all of them. Inputs come from a small
//! corpus, mutated at random out of a seed (`mutate.rs`). Deliberately absent: instrumentation by
//! the compiler; the corpus is there to lead into the branches, and grows under libFuzzer (`fuzz`).

mod commands;
mod mutate;
mod readers;
mod targets;

pub use mutate::Mutator;

/// Something to be fed.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name of its corpus.
    pub name: &'static str,
    /// Takes any bytes; panics if a promise is broken.
    pub run: fn(&[u8]),
    /// Inputs to start from, one a line.
    pub corpus: &'static str,
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "target_url", run: targets::target_url, corpus: include_str!("../corpus/target_url.txt") },
    Target { name: "signature", run: targets::signature, corpus: include_str!("../corpus/signature.txt") },
    Target { name: "filter", run: targets::filter, corpus: include_str!("../corpus/filter.txt") },
    Target { name: "publish", run: targets::publish, corpus: include_str!("../corpus/publish.txt") },
    Target { name: "retry_after", run: readers::retry_after, corpus: include_str!("../corpus/retry_after.txt") },
    Target { name: "hook_url", run: commands::hook_url, corpus: include_str!("../corpus/hook_url.txt") },
    Target { name: "redirect", run: commands::redirect, corpus: include_str!("../corpus/redirect.txt") },
    Target { name: "cron", run: commands::cron, corpus: include_str!("../corpus/cron.txt") },
    Target { name: "transformed", run: commands::transformed, corpus: include_str!("../corpus/transformed.txt") },
    Target { name: "names", run: readers::names, corpus: include_str!("../corpus/names.txt") },
];
