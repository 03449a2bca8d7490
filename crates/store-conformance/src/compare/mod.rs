//! Random operations, asked of the model and of every store, whose answers have to be the same.
//!
//! A sequence is a list of steps, each a kind and a number out of which everything about it is drawn when it is
//! carried out. So any part of a sequence is a sequence, and one that fails can be made short.

mod alike;
mod configure;
mod deliver;
mod jobs;
mod look;
mod publish;
mod shorten;
mod state;
mod step;
mod trial;

pub use alike::other_sequence;
pub use shorten::shorten;
pub use step::{Step, sequence};
pub use trial::{Figures, Trial};
