//! Which entries of a recording are taken.

use crate::openapi::like;

/// Which entries of a recording are taken; all if nothing is named. Names are patterns with `*` for
/// anything.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Hosts, without a port. Entries without a host are taken.
    pub hosts: Vec<String>,
    /// Paths, without the query.
    pub paths: Vec<String>,
    pub methods: Vec<String>,
}

impl Filter {
    /// Why an entry is not taken.
    pub(super) fn refuses(&self, request: &str, host: Option<&str>) -> Option<&'static str> {
        let (method, target) = request.split_once(' ').unwrap_or((request, ""));
        let path = target.split('?').next().unwrap_or_default();
        let fits = |patterns: &[String], text: &str| {
            let text = text.to_lowercase();
            patterns.is_empty() || patterns.iter().any(|p| like(&p.to_lowercase(), &text))
        };
        if let Some(host) = host.map(without_port)
            && !fits(&self.hosts, host)
        {
            return Some("to other hosts");
        }
        if !self.paths.is_empty() && !self.paths.iter().any(|pattern| like(pattern, path)) {
            return Some("to other paths");
        }
        (!fits(&self.methods, method)).then_some("of other methods")
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}
