//! JUnit's XML, which every CI shows.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};

use super::Report;

/// A suite for each run, a test for each case.
pub(super) fn document(report: &Report) -> std::io::Result<String> {
    let mut document = Document::new("contract");
    for (label, run) in &report.runs {
        let mut suite = TestSuite::new(label.as_str());
        for outcome in &run.cases {
            let status = if outcome.passed() {
                TestCaseStatus::success()
            } else {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                let paths: Vec<_> =
                    outcome.differences.iter().map(|difference| &*difference.path).collect();
                status.set_message(paths.join(", "));
                let lines = outcome.differences.iter().map(|difference| {
                    let (reference, candidate) = (&difference.reference, &difference.candidate);
                    format!("{}\n- {reference}\n+ {candidate}\n", difference.path)
                });
                status.set_description(lines.collect::<String>());
                status
            };
            let mut case = TestCase::new(outcome.case.as_str(), status);
            case.set_classname(outcome.operation.as_str());
            case.set_time(Duration::from_secs_f64(outcome.seconds.max(0.0)));
            suite.add_test_case(case);
        }
        document.add_test_suite(suite);
    }
    document.to_string().map_err(std::io::Error::other)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_failure_is_reported() {
        let xml = super::document(&crate::report::example()).unwrap();
        assert!(xml.contains(r#"tests="3""#) && xml.contains(r#"failures="1""#), "{xml}");
        assert!(xml.contains("&lt;script&gt;"), "{xml}");
    }
}
