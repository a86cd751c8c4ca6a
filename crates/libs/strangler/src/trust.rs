//! Which peers are believed.

use std::net::IpAddr;
use std::sync::Arc;

/// Which peers' `X-Forwarded-*` headers are trusted.
pub type Trust = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;
