//! Without the feature `tls` there are plain connections only: `https:` is refused at the start.

use crate::connect::Connector;
use crate::settings::{Settings, StartError};

pub(crate) type Outer = Connector;

#[expect(clippy::unnecessary_wraps, reason = "as with the feature")]
pub(crate) fn around(connector: Connector, _settings: &Settings) -> Result<Outer, StartError> {
    Ok(connector)
}
