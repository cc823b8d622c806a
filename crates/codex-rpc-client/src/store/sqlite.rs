//! A store in an SQLite file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::{SessionStore, StoreError, StoreFuture};

/// Marks the file as ours: "cdxs".
const APPLICATION: i64 = 0x6364_7873;

/// The version of the schema.
const SCHEMA: i64 = 1;

/// How long one waits for others who write.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sessions in an SQLite file, which any number of programs on this machine may use at
/// the same time. Needs the feature `sqlite`.
///
/// Beside the file there are two more while it is open, `-wal` and `-shm` (SQLite's
/// write-ahead log): copy it only when it is closed. It must not be on a network file
/// system. What was stored is on the disk when the call returns. The work is done on the
/// runtime's threads for blocking work; who does not wait for it does not stop it.
///
/// Clones are the same connection.
///
/// ```
/// use codex_rpc_client::store::{SessionStore, SqliteStore, StoreError};
///
/// # async fn run(folder: &std::path::Path) -> Result<(), StoreError> {
/// let store = SqliteStore::open(folder.join("sessions.sqlite")).await?;
/// store.put("acme", "ticket-17", None, "thread-a").await?;
/// assert_eq!(store.list("acme").await?, [("ticket-17".to_owned(), "thread-a".to_owned())]);
/// # Ok(())
/// # }
/// # let folder = tempfile::tempdir()?;
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(run(folder.path()))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SqliteStore {
    path: Arc<Path>,
    connection: Arc<Mutex<Connection>>,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.path).finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens a file, which is made if it is not there; its folder must be.
    ///
    /// # Errors
    /// - [`StoreError::NotAStore`] if it is no SQLite file, is damaged, or another
    ///   program's. It is left as it is.
    /// - [`StoreError::TooNew`] if a later version of this crate has written it.
    /// - [`StoreError::Busy`] if others write for longer than 5 s.
    /// - [`StoreError::Failed`] if it can't be opened.
    ///
    /// # Panics
    /// Outside of a tokio runtime, as do the methods.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path: Arc<Path> = path.into().into();
        let opened = Arc::clone(&path);
        let connection = blocking(&path, move || open(&opened)).await?;
        Ok(Self { path, connection: Arc::new(Mutex::new(connection)) })
    }

    fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> StoreFuture<'_, T> {
        let connection = Arc::clone(&self.connection);
        Box::pin(blocking(&self.path, move || work(&mut connection.lock().unwrap_or_else(PoisonError::into_inner))))
    }
}

/// Why a file can't be used.
enum Fault {
    Sqlite(rusqlite::Error),
    Foreign(String),
    TooNew(i64),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

async fn blocking<T, E>(path: &Path, work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, StoreError>
where
    T: Send + 'static,
    E: Into<Fault> + Send + 'static,
{
    let outcome = match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome.map_err(Into::into),
        Err(error) => return Err(StoreError::failed(format!("the work on `{}`", path.display()), error)),
    };
    outcome.map_err(|fault| told(path, fault))
}

fn told(path: &Path, fault: Fault) -> StoreError {
    let path = path.to_owned();
    match fault {
        Fault::Foreign(reason) => StoreError::NotAStore { path, reason },
        Fault::TooNew(found) => StoreError::TooNew { path, found, known: SCHEMA },
        Fault::Sqlite(error) => match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                StoreError::NotAStore { path, reason: error.to_string() }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { path },
            _ => StoreError::failed(format!("the store of sessions `{}`", path.display()), error),
        },
    }
}

fn open(path: &Path) -> Result<Connection, Fault> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    // Before anything is written: another program's file stays as it is.
    prepare(&mut connection)?;
    use_log(&connection)?;
    Ok(connection)
}

/// Makes the table where the file is new; else looks whose file it is.
fn prepare(connection: &mut Connection) -> Result<(), Fault> {
    // One look, and not three between which another one may write.
    if is_ours(&*connection.transaction()?)? {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another one may have been faster.
    if !is_ours(&transaction)? {
        transaction.execute_batch(&format!(
            "CREATE TABLE sessions (
                 tenant TEXT NOT NULL,
                 session TEXT NOT NULL,
                 thread TEXT NOT NULL,
                 PRIMARY KEY (tenant, session)
             ) STRICT, WITHOUT ROWID;
             PRAGMA application_id = {APPLICATION};
             PRAGMA user_version = {SCHEMA};"
        ))?;
        transaction.commit()?;
    }
    Ok(())
}

/// Whether the file has our table; not if it is empty.
fn is_ours(connection: &Connection) -> Result<bool, Fault> {
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let (application, schema) = (number("application_id")?, number("user_version")?);
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (application, schema) {
        (0, 0) if tables == 0 => Ok(false),
        (APPLICATION, SCHEMA) => Ok(true),
        (APPLICATION, found) if found > SCHEMA => Err(Fault::TooNew(found)),
        _ => Err(Fault::Foreign(format!("it is another program's (application id {application}, version {schema})"))),
    }
}

/// Turns the write-ahead log on: readers and a writer don't wait for each other.
fn use_log(connection: &Connection) -> Result<(), Fault> {
    let began = Instant::now();
    loop {
        match connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0)) {
            // Where the system can't, the file works without.
            Ok(_) => return Ok(()),
            // SQLite does not wait for others by itself here.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && began.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn get(connection: &Connection, tenant: &str, session: &str) -> rusqlite::Result<Option<String>> {
    let mut query = connection.prepare("SELECT thread FROM sessions WHERE tenant = ?1 AND session = ?2")?;
    query.query_row(params![tenant, session], |row| row.get(0)).optional()
}

/// A transaction that others who write wait for: it never has to be given up.
fn writing(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

impl SessionStore for SqliteStore {
    fn get<'a>(&'a self, tenant: &'a str, session: &'a str) -> StoreFuture<'a, Option<String>> {
        let (tenant, session) = (tenant.to_owned(), session.to_owned());
        self.run(move |connection| get(connection, &tenant, &session))
    }

    fn put<'a>(
        &'a self,
        tenant: &'a str,
        session: &'a str,
        expected: Option<&'a str>,
        thread: &'a str,
    ) -> StoreFuture<'a, Option<String>> {
        let (tenant, session, thread) = (tenant.to_owned(), session.to_owned(), thread.to_owned());
        let expected = expected.map(str::to_owned);
        self.run(move |connection| {
            let transaction = writing(connection)?;
            match expected {
                None => transaction.execute(
                    "INSERT INTO sessions (tenant, session, thread) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                    params![tenant, session, thread],
                )?,
                Some(expected) => transaction.execute(
                    "UPDATE sessions SET thread = ?3 WHERE tenant = ?1 AND session = ?2 AND thread = ?4",
                    params![tenant, session, thread, expected],
                )?,
            };
            let stored = get(&transaction, &tenant, &session)?;
            transaction.commit()?;
            Ok(stored)
        })
    }

    fn remove<'a>(&'a self, tenant: &'a str, session: &'a str) -> StoreFuture<'a, Option<String>> {
        let (tenant, session) = (tenant.to_owned(), session.to_owned());
        self.run(move |connection| {
            let transaction = writing(connection)?;
            let stored = get(&transaction, &tenant, &session)?;
            transaction.execute("DELETE FROM sessions WHERE tenant = ?1 AND session = ?2", params![tenant, session])?;
            transaction.commit()?;
            Ok(stored)
        })
    }

    fn list<'a>(&'a self, tenant: &'a str) -> StoreFuture<'a, Vec<(String, String)>> {
        let tenant = tenant.to_owned();
        self.run(move |connection| {
            let mut query =
                connection.prepare("SELECT session, thread FROM sessions WHERE tenant = ?1 ORDER BY session")?;
            query.query_map([tenant], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
    }
}
