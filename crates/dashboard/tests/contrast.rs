//! Text can be read and controls can be seen, in both themes: the contrast of every pair of colours
//! that the pages put together, computed from the sheet that they are drawn with (WCAG 2.2, 1.4.3
//! and 1.4.11).

use std::collections::BTreeMap;

const SHEET: &str = include_str!("../assets/tidings.css");
/// What text needs, and what has to be seen without being read.
const TEXT: f64 = 4.5;
const UI: f64 = 3.0;
/// What panels and pages are painted with.
const GROUNDS: &[&str] = &["bg", "surface", "sunken"];

/// What stands on what, and the ratio it needs.
struct Pair {
    on_top: &'static [&'static str],
    grounds: &'static [&'static str],
    at_least: f64,
}

const PAIRS: &[Pair] = &[
    Pair { on_top: &["text", "text-2", "text-3", "accent"], grounds: GROUNDS, at_least: TEXT },
    Pair { on_top: &["text", "text-2"], grounds: &["raised", "accent-soft"], at_least: TEXT },
    Pair { on_top: &["on-solid"], grounds: &["accent-solid", "accent-press", "bad-solid"], at_least: TEXT },
    Pair { on_top: &["ok", "warn", "bad", "info", "mute"], grounds: GROUNDS, at_least: TEXT },
    Pair { on_top: &["ok"], grounds: &["ok-soft"], at_least: TEXT },
    Pair { on_top: &["warn"], grounds: &["warn-soft"], at_least: TEXT },
    Pair { on_top: &["bad"], grounds: &["bad-soft"], at_least: TEXT },
    Pair { on_top: &["info"], grounds: &["info-soft"], at_least: TEXT },
    Pair { on_top: &["mute"], grounds: &["mute-soft"], at_least: TEXT },
    Pair {
        on_top: &["text", "text-2"],
        grounds: &["ok-soft", "warn-soft", "bad-soft", "info-soft", "mute-soft"],
        at_least: TEXT,
    },
    Pair {
        on_top: &["text", "code-key", "code-string", "code-number", "code-word"],
        grounds: &["code"],
        at_least: TEXT,
    },
    Pair { on_top: &["edge", "ok-ui", "warn-ui", "bad-ui"], grounds: GROUNDS, at_least: UI },
    Pair { on_top: &["chart-ok", "chart-line", "chart-line-2"], grounds: GROUNDS, at_least: UI },
];

/// Light and dark.
type Both = [[u8; 3]; 2];

/// `--name: light-dark(#…, #…);` and `--name: #…;` of the sheet.
fn tokens(sheet: &str) -> BTreeMap<&str, Both> {
    let root = sheet.split_once(":root {").expect("the sheet defines its tokens on :root").1;
    let root = root.split_once("\n}").expect("the block ends").0;
    let mut tokens = BTreeMap::new();
    for line in root.lines() {
        let Some((name, value)) = line.trim().strip_prefix("--").and_then(|line| line.split_once(": ")) else {
            continue;
        };
        let value = value.trim_end_matches(';');
        let both = value.strip_prefix("light-dark(").and_then(|pair| pair.strip_suffix(')')?.split_once(", "));
        let (light, dark) = both.unwrap_or((value, value));
        if let (Some(light), Some(dark)) = (color(light), color(dark)) {
            tokens.insert(name, [light, dark]);
        }
    }
    tokens
}

fn color(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    let channel = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    Some([channel(0)?, channel(2)?, channel(4)?])
}

/// Relative luminance, as WCAG defines it.
fn luminance(color: [u8; 3]) -> f64 {
    let linear = |channel: u8| {
        let value = f64::from(channel) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(color[0]) + 0.7152 * linear(color[1]) + 0.0722 * linear(color[2])
}

fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Every pair of a sheet that cannot be read or seen.
fn too_weak(sheet: &str) -> Vec<String> {
    let tokens = tokens(sheet);
    let token = |name: &str| *tokens.get(name).unwrap_or_else(|| panic!("the sheet has no token --{name}"));
    let mut weak = Vec::new();
    for pair in PAIRS {
        for (top, ground) in pair.on_top.iter().flat_map(|top| pair.grounds.iter().map(move |ground| (top, ground))) {
            for (theme, name) in ["light", "dark"].iter().enumerate() {
                let ratio = contrast(token(top)[theme], token(ground)[theme]);
                if ratio < pair.at_least {
                    weak.push(format!("{top} on {ground}, {name}: {ratio:.2}, less than {}", pair.at_least));
                }
            }
        }
    }
    weak
}

#[test]
fn every_pair_of_colours_can_be_told_apart() {
    assert_eq!(too_weak(SHEET), [""; 0]);
}

#[test]
fn a_sheet_that_is_too_pale_is_found() {
    let paler = SHEET.replace("--text-3: light-dark(#6b665c,", "--text-3: light-dark(#8b867c,");
    assert_ne!(paler, SHEET, "the sheet has changed: make the third voice paler in this test");
    let weak = too_weak(&paler);
    assert!(weak.iter().any(|line| line.starts_with("text-3 on bg, light: ")), "{weak:?}");
}

#[test]
fn ratios_are_those_of_the_standard() {
    let [black, white, grey] = [[0; 3], [255; 3], [0x76; 3]];
    assert!((contrast(black, white) - 21.0).abs() < 1e-9);
    // The darkest grey that WCAG's own examples name as just enough on white.
    assert!((contrast(grey, white) - 4.54).abs() < 0.01);
    assert!((contrast(white, white) - 1.0).abs() < 1e-9);
}
