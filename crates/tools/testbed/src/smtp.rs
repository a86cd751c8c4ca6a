//! A mail server that stores what it receives.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::process::{Running, Signal, free_port, temporary_folder};
use crate::{Error, python};

/// Accepts every e-mail and stores it in a Maildir; without TLS.
#[derive(Debug)]
pub struct SmtpSink {
    /// The port on 127.0.0.1.
    pub port: u16,
    mails: PathBuf,
    _process: Running,
}

impl SmtpSink {
    /// Starts it on a free port.
    pub async fn start() -> Result<Self, Error> {
        let port = free_port()?;
        let folder = temporary_folder("smtp")?;
        let mails = folder.join("mails");
        let mut command = Command::new(python()?);
        command.args(["-m", "aiosmtpd", "--nosetuid", "--smtputf8", "--listen"]);
        command.arg(format!("127.0.0.1:{port}"));
        command.args(["--class", "aiosmtpd.handlers.Mailbox"]).arg(&mails);
        let process = Running::start("the SMTP sink", folder, Signal::Terminate, &command, None)?;
        process.wait(|_| std::net::TcpStream::connect(("127.0.0.1", port)).ok()).await?;
        Ok(Self { port, mails, _process: process })
    }

    /// The Maildir, which exists from the first e-mail on.
    pub fn maildir(&self) -> &Path {
        &self.mails
    }

    /// Settings with which a service sends its e-mails here.
    pub fn settings(&self) -> [(&'static str, String); 4] {
        [
            ("SMTP_HOST", "127.0.0.1".into()),
            ("SMTP_PORT", self.port.to_string()),
            ("SMTP_TLS", "false".into()),
            ("EMAILS_FROM_EMAIL", "testbed@example.com".into()),
        ]
    }

    /// Waits for `count` e-mails, at most half a minute, and returns those received, in the order of
    /// their file names.
    pub async fn mails(&self, count: usize) -> Vec<String> {
        const TIMEOUT: Duration = Duration::from_secs(30);
        let start = Instant::now();
        loop {
            let files = std::fs::read_dir(self.mails.join("new")).into_iter().flatten();
            let mut files: Vec<_> = files.filter_map(|entry| Some(entry.ok()?.path())).collect();
            if files.len() >= count || start.elapsed() > TIMEOUT {
                files.sort();
                return files.iter().filter_map(|f| std::fs::read_to_string(f).ok()).collect();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
