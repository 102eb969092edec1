//! What `--log` writes: spans and events of the run time, to standard error.

use tracing_subscriber::EnvFilter;

use crate::args::{Common, LogFormat};
use crate::exit::Exit;
use crate::failure::{Failure, Result};

/// A filter that can be read.
pub(crate) fn filter(text: &str) -> std::result::Result<String, String> {
    match EnvFilter::builder().parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => {
            Err(format!("{error}; a level is expected, such as info or debug, or a filter such as coexist=debug"))
        }
    }
}

/// Begins to write, where that is wanted.
pub(crate) fn start(common: &Common) -> Result<()> {
    let Some(filter) = &common.log else { return Ok(()) };
    let failed = |error: &dyn std::fmt::Display| Failure::new(Exit::Failed, format!("no log can be written: {error}"));
    let filter = EnvFilter::builder().parse(filter).map_err(|error| failed(&error))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false);
    let started = match common.log_format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).with_current_span(false).try_init(),
    };
    started.map_err(|error| failed(&error))
}
