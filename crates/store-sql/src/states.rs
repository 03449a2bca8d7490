//! The numbers under which the states of deliveries are stored.

/// In `queue`, and to be tried again.
pub(crate) const STATE_RETRYING: u8 = 1;
pub(crate) const STATE_DELIVERED: u8 = 2;
pub(crate) const STATE_FAILED: u8 = 3;
pub(crate) const STATE_DROPPED: u8 = 4;
pub(crate) const STATE_CANCELLED: u8 = 5;
