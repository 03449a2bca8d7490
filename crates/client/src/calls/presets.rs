//! Presets.

use tidings_contract::{
    list::ListBody,
    preset::{PresetBody, PresetSummary},
};

use super::item;
use crate::{Client, ClientError, exchange::Call};

impl Client {
    /// Lists all presets, on one page.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn list_presets(&self) -> Result<ListBody<PresetSummary>, ClientError> {
        self.fetch(Call::get("/presets".to_owned())).await
    }

    /// Looks at a preset.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn get_preset(&self, name: &str) -> Result<PresetBody, ClientError> {
        self.fetch(Call::get(item("/presets", name))).await
    }
}
