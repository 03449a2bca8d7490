//! A person at a real browser: Debian's headless Chromium, driven by chromedriver over WebDriver.
//!
//! What is on a page is found as its reader finds it, by role and name in the browser's own
//! accessibility tree, so that a control without a name cannot be pressed. Everything is waited for
//! with a bound; nothing sleeps for a while and hopes.
//!
//! WebDriver is JSON over HTTP and a test needs some twenty of its commands, which go over the
//! testkit's client: a client crate would bring a second HTTP stack and hide the commands of
//! Chromium's own (accessibility tree, media, sizes) that most of this is made of.
//!
//! Deliberately absent: the product. This crate knows pages, not Tidings. Absent as well, as in the
//! testkit: results. Whatever keeps a test from going on panics, and says what was on the page.

mod axe;
mod console;
mod driver;
mod element;
mod find;
mod keys;
mod page;
mod view;

pub use axe::{Axe, Offence};
pub use console::Line;
pub use driver::AXE;
pub use element::Element;
pub use page::Page;
pub use view::{Theme, View};
