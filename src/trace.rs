//! Spans and events for the crate `tracing`, where the feature of that name is on; without it, all of this is nothing.
//!
//! A span for each change, phase, step and batch; an event for each [`Event`](crate::Event), and for the failure of a run. Values of rows never
//! stand in them, nor do keys, which may be names or addresses of people.

#[cfg(feature = "tracing")]
mod on;
#[cfg(feature = "tracing")]
pub(crate) use on::{Span, event, failed};

#[cfg(not(feature = "tracing"))]
mod off;
#[cfg(not(feature = "tracing"))]
pub(crate) use off::{Span, event, failed};
