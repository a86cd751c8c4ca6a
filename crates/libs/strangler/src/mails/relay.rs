//! Passes the old service's sessions on to its mail server, and shows what it accepts to [`Mails`].

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mail_parser::MessageParser;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::Mails;
use super::session::{self, Session};
use crate::emails::Message;
use crate::lock::lock;

/// The longest silence of a session (RFC 5321, 4.5.3.2).
const IDLE: Duration = Duration::from_mins(5);
/// How many sessions there are at a time; further ones wait.
const SESSIONS: usize = 100;

/// Where the old service's e-mails pass: it is configured to send them to `listen`, and they go on to its
/// mail server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailRelay {
    /// The address that is listened on.
    pub listen: SocketAddr,
    /// The mail server, `host:port`.
    pub server: String,
}

/// What a reader sees of an e-mail, for each recipient.
fn messages(session::Sent { to, text }: session::Sent) -> impl Iterator<Item = Message> {
    let parsed = MessageParser::default().parse(&text);
    let subject = parsed.as_ref().and_then(|message| message.subject()).unwrap_or_default();
    let body = parsed.as_ref().and_then(|message| message.body_html(0)).unwrap_or_default();
    let message =
        Message { to: String::new(), subject: subject.to_owned(), text: body.into_owned() };
    to.into_iter().map(move |to| Message { to, ..message.clone() })
}

impl MailRelay {
    /// Begins to pass sessions on, and to keep what the mail server accepts in `mails`. `background` runs
    /// the sessions.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub(crate) fn start(&self, mails: Arc<Mails>, background: TaskTracker) -> std::io::Result<()> {
        let listener = std::net::TcpListener::bind(self.listen)?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        tokio::spawn(relay(listener, self.server.clone(), mails, background));
        Ok(())
    }
}

async fn relay(listener: TcpListener, server: String, mails: Arc<Mails>, background: TaskTracker) {
    let (sessions, server) = (Arc::new(Semaphore::new(SESSIONS)), Arc::<str>::from(server));
    loop {
        let Ok(permit) = Arc::clone(&sessions).acquire_owned().await else { return };
        let client = match listener.accept().await {
            Ok((client, _)) => client,
            Err(error) => {
                tracing::warn!(%error, "no session of the old service's e-mails");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (server, mails) = (Arc::clone(&server), Arc::clone(&mails));
        background.spawn(async move {
            let passed = pass(client, &server, &mails).await;
            if let Err(error) = passed {
                tracing::warn!(%error, "a session of the old service's e-mails broke");
            }
            drop(permit);
        });
    }
}

async fn pass(mut client: TcpStream, server: &str, mails: &Mails) -> std::io::Result<()> {
    let connecting = tokio::time::timeout(Duration::from_secs(30), TcpStream::connect(server));
    let server = connecting.await.map_err(std::io::Error::from).flatten();
    let mut server = match server {
        Ok(server) => server,
        Err(error) => {
            // So that the old service knows it at once, and may try again.
            client.write_all(b"421 the mail server cannot be reached\r\n").await?;
            return Err(error);
        }
    };
    let session = Mutex::new(Session::new(mails.budget.part()));
    let is_warned = AtomicBool::new(false);
    let lose = |session: &mut Session| {
        if !session.take_unseen() {
            return;
        }
        mails.lose();
        if !is_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "e-mails of the old service are encrypted, sent in chunks or too long: not compared"
            );
        }
    };
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let up = copy(from_client, to_server, |bytes| {
        let mut session = lock(&session);
        session.client(bytes);
        lose(&mut session);
    });
    let down = copy(from_server, to_client, |bytes| {
        let mut session = lock(&session);
        for sent in session.server(bytes) {
            messages(sent).for_each(|message| mails.add(message));
        }
        lose(&mut session);
    });
    tokio::try_join!(up, down).map(drop)
}

/// Copies until the end, and shows what is copied before it is sent.
async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut show: impl FnMut(&[u8]),
) -> std::io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = tokio::time::timeout(IDLE, from.read(&mut buffer)).await??;
        let bytes = &buffer[..read];
        if bytes.is_empty() {
            return to.shutdown().await;
        }
        show(bytes);
        to.write_all(bytes).await?;
    }
}
