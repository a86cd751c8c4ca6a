//! The extension module of the wheel `molt-bridge`: the service inside the Python process of python-legacy.
//!
//! It has no logic of its own: `asgi-bridge` passes requests and results, `api` is the service. The Python
//! that calls it is in `python/molt_bridge`; docs/bridge.md is its page.

mod items;
mod service;

use std::path::PathBuf;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::service::Service;

#[pymodule]
mod _native {
    #[pymodule_export]
    use asgi_bridge::{ApplicationCall, Bridge, Exchange};

    #[pymodule_export]
    use super::bridge;

    #[pymodule_export]
    use super::items::read_items;
}

/// The service with the settings of the environment and `.env`, and a plan's file instead of
/// STRANGLER_PLAN. Raises ValueError when a setting or the plan is wrong. Nothing is started yet.
#[pyfunction]
#[pyo3(signature = (plan=None))]
fn bridge(py: Python<'_>, plan: Option<PathBuf>) -> PyResult<asgi_bridge::Bridge> {
    py.detach(|| Service::new(plan))
        .map(|service| {
            let timeout = service.timeout();
            asgi_bridge::Bridge::new(service, timeout)
        })
        .map_err(|error| PyValueError::new_err(error.to_string()))
}
