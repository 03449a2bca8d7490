//! "Did you mean …?"

/// How alike two names must be (Jaro-Winkler) before one is taken for a misspelling of the other.
const LIKENESS_MIN: f64 = 0.88;

/// The known name that is most like the unknown one, if any is like it.
pub(crate) fn closest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let unknown = unknown.to_ascii_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&unknown, &name.to_ascii_lowercase()), name))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

/// The way out for an unknown name.
pub(crate) fn way_out<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match closest(unknown, known.clone()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("known are {}", known.into_iter().collect::<Vec<_>>().join(", ")),
    }
}
