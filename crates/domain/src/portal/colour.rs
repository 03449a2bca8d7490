//! Colours, and whether one can be read on another (WCAG 2, relative luminance and contrast).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A colour without transparency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Colour(u8, u8, u8);

/// A text is no colour.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write a colour as # and six hexadecimal digits, such as #2d4ec4")]
pub struct InvalidColour;

/// Steps in which a colour is mixed until it can be read.
const STEPS: u16 = 100;

impl Colour {
    /// White.
    pub const WHITE: Self = Self(255, 255, 255);
    /// Black.
    pub const BLACK: Self = Self(0, 0, 0);
    /// The house's own accent.
    pub const INK: Self = Self(0x2d, 0x4e, 0xc4);

    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    /// The contrast of two colours, from 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// A mixture: `percent` of the other, the rest of this one.
    #[must_use]
    pub fn mixed(self, other: Self, percent: u16) -> Self {
        let mix = |one: u8, two: u8| {
            let sum = u16::from(one) * (STEPS - percent.min(STEPS)) + u16::from(two) * percent.min(STEPS);
            u8::try_from((sum + STEPS / 2) / STEPS).unwrap_or(u8::MAX)
        };
        Self(mix(self.0, other.0), mix(self.1, other.1), mix(self.2, other.2))
    }

    /// Black or white, whichever is read better on this colour.
    pub fn words_on(self) -> Self {
        if self.contrast(Self::WHITE) >= self.contrast(Self::BLACK) { Self::WHITE } else { Self::BLACK }
    }

    /// This colour, darkened on a light surface and lightened on a dark one until it has this contrast on it.
    #[must_use]
    pub fn readable_on(self, surface: Self, contrast: f64) -> Self {
        let towards = surface.words_on();
        let mixtures = (0..=STEPS).map(|percent| self.mixed(towards, percent));
        mixtures.into_iter().find(|mixture| mixture.contrast(surface) >= contrast).unwrap_or(towards)
    }
}

impl FromStr for Colour {
    type Err = InvalidColour;

    fn from_str(text: &str) -> Result<Self, InvalidColour> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or(InvalidColour)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(InvalidColour);
        }
        let channel = |from: usize| u8::from_str_radix(&digits[from..from + 2], 16).map_err(|_| InvalidColour);
        Ok(Self(channel(0)?, channel(2)?, channel(4)?))
    }
}

impl TryFrom<String> for Colour {
    type Error = InvalidColour;

    fn try_from(text: String) -> Result<Self, InvalidColour> {
        text.parse()
    }
}

impl From<Colour> for String {
    fn from(colour: Colour) -> Self {
        colour.to_string()
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_and_written() {
        assert_eq!("#2D4EC4".parse::<Colour>().map(|colour| colour.to_string()), Ok("#2d4ec4".to_owned()));
        for bad in ["", "2d4ec4", "#fff", "#2d4ec", "#2d4ec44", "#gggggg", "red", "#+12345", "#é1234"] {
            assert_eq!(bad.parse::<Colour>(), Err(InvalidColour), "{bad:?}");
        }
    }

    #[test]
    fn any_colour_becomes_readable_on_any_surface_and_what_is_readable_stays() {
        assert!((Colour::BLACK.contrast(Colour::WHITE) - 21.0).abs() < 0.01);
        let surfaces = [Colour::WHITE, Colour(0x19, 0x1a, 0x1d), Colour(0x12, 0x13, 0x15)];
        for red in (0..=255).step_by(51) {
            for green in (0..=255).step_by(51) {
                for blue in (0..=255).step_by(51) {
                    let colour = Colour(red, green, blue);
                    for surface in surfaces {
                        let readable = colour.readable_on(surface, 4.5);
                        assert!(readable.contrast(surface) >= 4.5, "{colour} on {surface} became {readable}");
                        assert!(colour.contrast(surface) < 4.5 || readable == colour, "{colour} was left as it is");
                    }
                    assert!(colour.contrast(colour.words_on()) >= 4.5, "{colour}");
                }
            }
        }
    }
}
