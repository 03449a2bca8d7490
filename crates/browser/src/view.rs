//! How large the window is, and which colours its user likes.

use serde_json::{Value, json};

/// The user's wish that a page can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// A window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// CSS pixels.
    pub width: u32,
    /// CSS pixels.
    pub height: u32,
    /// The colours that its user likes.
    pub theme: Theme,
    /// A phone: a narrow screen that is touched.
    pub phone: bool,
}

impl View {
    /// A common screen.
    pub const WIDE: Self = Self { width: 1_440, height: 900, theme: Theme::Light, phone: false };
    /// A common phone.
    pub const PHONE: Self = Self { width: 390, height: 844, theme: Theme::Light, phone: true };
    /// The narrowest that WCAG 2.2 asks for (1.4.10 Reflow).
    pub const NARROW: Self = Self { width: 320, height: 640, theme: Theme::Light, phone: true };

    /// The same at night.
    #[must_use]
    pub const fn dark(self) -> Self {
        Self { theme: Theme::Dark, ..self }
    }

    /// `Emulation.setDeviceMetricsOverride`
    pub(crate) fn metrics(self) -> Value {
        json!({"width": self.width, "height": self.height, "deviceScaleFactor": 1, "mobile": self.phone})
    }

    /// `Emulation.setEmulatedMedia`; motion is off, so that a picture is taken of what stands still.
    pub(crate) fn media(self) -> Value {
        let theme = if self.theme == Theme::Dark { "dark" } else { "light" };
        json!({"features": [
            {"name": "prefers-color-scheme", "value": theme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]})
    }
}
