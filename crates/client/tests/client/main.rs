//! The client against a server that answers as each test says.

mod calls;
mod loopback;
mod repeating;
mod tls;
