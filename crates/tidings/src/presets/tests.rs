//! The built-in presets, and what a file of one's own may say.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{BUILT_IN, load, parse};

#[test]
fn every_system_has_its_preset_with_valid_examples() {
    let presets = load(None).expect("the built-in presets are well formed");
    for (name, profile, types) in [
        ("botdog", "botdog", 5),
        ("bots-business", "standard", 1),
        ("botsubscription", "botsubscription", 1),
        ("serveravatar", "serveravatar", 12),
        ("subscribeflow", "subscribeflow", 6),
    ] {
        let preset = presets.find(name).expect("built in");
        assert_eq!((preset.profile.as_str(), preset.event_types.len()), (profile, types), "{name}");
        for entry in &preset.event_types {
            let example = entry.event_type.example.as_deref().unwrap_or_else(|| panic!("{name}: no example"));
            let example: Value = serde_json::from_str(example).expect("JSON");
            assert!(example.is_object() && entry.event_type.description.is_some(), "{name}");
        }
    }
    assert_eq!(presets.iter().count(), BUILT_IN.len());
    let panel = presets.find("serveravatar").expect("built in").event_types.iter();
    let groups: BTreeSet<_> = panel.map(|entry| entry.event_type.group.clone()).collect();
    assert_eq!(groups.len(), 4);
}

#[test]
fn what_is_wrong_is_named_with_file_and_line() {
    let good = "name = \"x\"\ntitle = \"X\"\nprofile = \"standard\"\n[[event_types]]\nname = \"a.b\"\n";
    let source = |kind: &str, actions: &str| {
        format!("{good}[[sources]]\nname = \"s\"\nkind = \"{kind}\"\nactions = '{actions}'\n")
    };
    assert!(parse("x.toml", good).is_ok());
    let emits = source("resend", r#"[{"kind": "emit", "type": "a.b", "data": {}}]"#);
    assert_eq!(parse("x.toml", &emits).expect("valid").sources.len(), 1);
    for (text, message) in [
        (good.replace("title", "titel"), "x.toml:2: unknown field `titel`"),
        (format!("{good}colour = 1\n"), "x.toml:6: unknown field `colour`"),
        (format!("{good}[[records]]\nname = \"s\"\n"), "x.toml:6: unknown field `records`"),
        (source("pigeon", "[]"), "x.toml:8: unknown variant `pigeon`"),
        (source("resend", "[1]"), "x.toml:9: these are not actions"),
        (source("resend", r#"[{"kind": "plan"}]"#), "x.toml:9: a preset cannot have an action of kind plan"),
        (
            source("resend", r#"[{"kind": "forward", "url": "https://example.com"}]"#),
            "x.toml:9: a preset cannot have an action of kind forward",
        ),
        (
            source("resend", r#"[{"kind": "emit", "type": "c.d", "data": {}}]"#),
            "x.toml:9: c.d is not in the preset's catalogue",
        ),
        (source("hmac", "[]"), "x.toml:9: verify: "),
        (good.replace("\"x\"", "\"X y\""), "x.toml:1: this is not a preset's name"),
        (good.replace("standard", "mine"), "x.toml:3: \"mine\" is not a profile"),
        (good.replace("a.b", "a b"), "x.toml:5: \"a b\" is not an event type"),
        (good.replace("a.b", "test.webhook"), "x.toml:5: this type is part of every catalogue"),
        (good.replace("a.b", "import"), "x.toml:5: this is the path of imports"),
        (format!("{good}example = '{{'\n"), "x.toml:6: this is not JSON"),
        (format!("{good}schema = 'x'\n"), "x.toml:6: this is not JSON"),
        (format!("{good}schema = '{{\"required\": 1}}'\n"), "x.toml:6: this schema cannot be used"),
        (
            format!("{good}example = '{{}}'\nschema = '{{\"required\": [\"kind\"]}}'\n"),
            "x.toml:7: the example does not satisfy the schema: data/kind",
        ),
        (format!("{good}[[event_types]]\nname = \"a.b\"\n"), "x.toml:7: a.b stands here twice"),
        (format!("{good}[[plans]]\nname = \"Gold\"\n"), "x.toml:7: a plan's name has"),
        ("name = ".to_owned(), "x.toml:1: "),
    ] {
        let errors = parse("x.toml", &text).expect_err("refused");
        let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|line| line.starts_with(message)), "expected {message:?} in {told:?}");
    }
}

#[test]
fn a_directory_adds_presets_and_stands_before_the_built_in_ones() {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).expect("written");
    let types = "[[event_types]]\nname = \"a.b\"\n";
    write("own.toml", &format!("name = \"own\"\ntitle = \"Own\"\nprofile = \"standard\"\n{types}"));
    write("botdog.toml", &format!("name = \"botdog\"\ntitle = \"Mine\"\nprofile = \"botdog\"\n{types}"));
    write("notes.txt", "not a preset");
    let presets = load(Some(directory.path())).expect("valid");
    assert_eq!(presets.names(), "botdog, bots-business, botsubscription, own, serveravatar, subscribeflow");
    assert_eq!(presets.find("botdog").map(|preset| preset.title.as_str()), Some("Mine"));

    write("broken.toml", "name = \"broken\"\nnope = 1\n");
    let errors = load(Some(directory.path())).expect_err("refused");
    assert!(errors[0].to_string().contains("broken.toml:2: unknown field `nope`"), "{errors:?}");
    assert!(load(Some(&directory.path().join("gone"))).is_err());
}
