//! Listening to what happens to deliveries.

use crate::{Client, ClientError, DeliveryStream};

impl Client {
    /// Listens to what happens to the project's deliveries from now on, or from after `place` (see
    /// [`DeliveryStream::place`]) as long as the server keeps what follows it. The stream has no end
    /// of its own; the time that requests may take bounds its beginning alone.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn stream(&self, place: Option<&str>) -> Result<DeliveryStream, ClientError> {
        self.open_stream("/stream", place).await
    }
}
