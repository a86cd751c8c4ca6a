//! Sends the worst bodies, several at a time.

use std::time::Duration;

use testbed::bodies::{AT_A_TIME, Body, JSON};
use tokio::task::JoinSet;

use crate::{API, BoxError};

/// What became of the bodies that were sent.
#[derive(Debug, Default)]
pub struct Attack {
    pub sent: u64,
    /// Answers of 500.
    pub server_errors: u64,
    /// Bodies without an answer, or with one of 500 or more.
    pub wrong: Vec<String>,
}

impl Attack {
    /// Sends each to anonymous operations that read a body, four at a time, and reads the answers.
    ///
    /// # Errors
    /// When there is no HTTP client.
    pub async fn send(&mut self, base: &str, bodies: &[Body]) -> Result<(), BoxError> {
        let http = crate::http(Duration::from_mins(3))?;
        for Body { name, content_type, bytes } in bodies {
            let paths: &[&str] = match *content_type {
                JSON => &["/users/signup", "/reset-password/"],
                _ => &["/login/access-token"],
            };
            let mut requests = JoinSet::new();
            for path in paths.iter().cycle().take(AT_A_TIME) {
                let request = http.post(format!("{base}{API}{path}"));
                let request = request.header("content-type", *content_type).body(bytes.clone());
                requests.spawn(async move {
                    let mut answer = request.send().await?;
                    while answer.chunk().await?.is_some() {}
                    Ok::<_, reqwest::Error>(answer.status().as_u16())
                });
            }
            for answer in requests.join_all().await {
                self.sent += 1;
                match answer {
                    Ok(status) if status < 500 => {}
                    Ok(status) => {
                        self.server_errors += u64::from(status == 500);
                        self.wrong.push(format!("{name}: {status}"));
                    }
                    Err(error) => self.wrong.push(format!("{name}: {error:?}")),
                }
            }
        }
        Ok(())
    }
}
