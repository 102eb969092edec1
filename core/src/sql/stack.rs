//! Room for the parser, whose stack grows with the nesting of what it reads.

/// Longer texts are not parsed: nobody reads such an expression, and each byte may cost stack.
pub(super) const MAX_BYTES: usize = 32 * 1024;

/// Up to this length the deepest nesting fits onto any thread's stack.
const SHALLOW_BYTES: usize = 128;

/// What one byte of text can cost in stack, in a debug build, with room to spare (measured: 4 KiB for each `(`).
const STACK_PER_BYTE: usize = 8 * 1024;

/// Runs something that parses `text` where the stack will do, which may be on another thread. `None` if there is no such place, or if
/// the parser gives up.
pub(super) fn with_room<T: Send>(text: &str, parse: impl FnOnce() -> T + Send) -> Option<T> {
    if text.len() > MAX_BYTES {
        return None;
    }
    if text.len() <= SHALLOW_BYTES {
        return Some(parse());
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(text.len() * STACK_PER_BYTE).spawn_scoped(scope, parse);
        thread.ok()?.join().ok()
    })
}
