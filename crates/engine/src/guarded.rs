//! Loops that end the process when they fail.

/// Ends the process if it is dropped by a panic: without one of its loops the engine would accept
/// events and deliver none, and everything that matters is on disk.
struct EndOnPanic;

impl Drop for EndOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("a loop of the engine failed; the process ends and takes up its work when it starts again");
            std::process::abort();
        }
    }
}

/// Does the work, and takes the process with it if it panics.
pub(crate) async fn guarded(work: impl Future<Output = ()>) {
    let _end = EndOnPanic;
    work.await;
}
