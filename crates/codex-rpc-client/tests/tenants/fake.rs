//! App-servers for tests: what they do, and what is seen of them from outside.

use std::collections::BTreeSet;
use std::fs;
use std::future::Future;
use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use codex_rpc_client::{Codex, CodexBuilder};
use codex_rpc_testkit::fixtures;
use serde_json::{Value, json};
use tokio::sync::watch;

/// Names the world's address to a server.
const VARIABLE: &str = "CODEX_RPC_CLIENT_TEST_WORLD";

/// Waits for something that has to come; at most a minute.
#[track_caller]
pub fn soon<T>(future: impl Future<Output = T>) -> impl Future<Output = T> {
    let caller = std::panic::Location::caller();
    async move {
        let outcome = tokio::time::timeout(Duration::from_secs(60), future).await;
        outcome.unwrap_or_else(|_| panic!("{caller}: it did not come"))
    }
}

/// Waits for something that nothing tells.
#[track_caller]
pub fn until(condition: impl Fn() -> bool) -> impl Future<Output = ()> {
    soon(async move {
        while !condition() {
            tokio::task::yield_now().await;
        }
    })
}

/// Sees all servers of a test: each reports when it starts, and is seen to end.
pub struct World {
    address: String,
    state: Arc<Mutex<State>>,
    started: watch::Receiver<usize>,
    folder: tempfile::TempDir,
}

#[derive(Default)]
struct State {
    live: Vec<(PathBuf, TcpStream)>,
    starts: Vec<PathBuf>,
    /// The most that there ever were.
    most: usize,
    /// Whether two had the same home.
    overlapped: bool,
    orders: Orders,
    held: Vec<TcpStream>,
}

/// What servers are to do when they start.
#[derive(Clone, Copy, Default, PartialEq)]
pub enum Orders {
    #[default]
    Serve,
    /// Wait, until there are other orders.
    Hold,
    Fail,
}

impl State {
    /// Forgets those that have ended: the system closes what an ended process had before
    /// anybody learns of its end.
    fn sweep(&mut self) {
        self.live.retain_mut(|(_, stream)| {
            stream.set_nonblocking(true).expect("a socket");
            matches!(stream.read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
        });
    }
}

fn order(mut stream: &TcpStream, order: &str) {
    // It may have been killed meanwhile.
    let _ = stream.write_all(format!("{order}\n").as_bytes());
}

impl World {
    pub fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let state = Arc::new(Mutex::new(State::default()));
        let (count, started) = watch::channel(0);
        let seen = Arc::downgrade(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(stream), Some(state)) = (stream, seen.upgrade()) else { return };
                let mut home = String::new();
                if BufReader::new(&stream).read_line(&mut home).is_err() || home.is_empty() {
                    continue;
                }
                let home = PathBuf::from(home.trim_end());
                let mut state = state.lock().expect("a lock");
                state.sweep();
                state.overlapped |= state.live.iter().any(|(other, _)| *other == home);
                state.starts.push(home.clone());
                state.live.push((home, stream.try_clone().expect("a socket")));
                state.most = state.most.max(state.live.len());
                match state.orders {
                    Orders::Serve => order(&stream, "serve"),
                    Orders::Fail => order(&stream, "fail"),
                    Orders::Hold => state.held.push(stream),
                }
                drop(state);
                count.send_modify(|count| *count += 1);
            }
        });
        Self { address, state, started, folder: tempfile::tempdir().expect("a folder") }
    }

    /// The world's address, in a server.
    pub fn address() -> Option<String> {
        std::env::var(VARIABLE).ok()
    }

    /// What starts a server of this world.
    pub fn codex(&self) -> impl Fn(&str) -> CodexBuilder + Send + Sync + 'static {
        let address = self.address.clone();
        move |_tenant| {
            let program = std::env::current_exe().expect("this program");
            // `app-server` comes after these, and is no test.
            let arguments = ["serves_as_the_app_server_of_the_other_tests", "--exact", "--nocapture"];
            let builder = Codex::builder().executable(program).env(VARIABLE, &address);
            arguments.into_iter().fold(builder, CodexBuilder::argument)
        }
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().expect("a lock");
        state.sweep();
        state
    }

    pub fn live(&self) -> usize {
        self.lock().live.len()
    }

    pub fn most(&self) -> usize {
        self.lock().most
    }

    pub fn overlapped(&self) -> bool {
        self.lock().overlapped
    }

    pub fn starts(&self) -> usize {
        self.lock().starts.len()
    }

    /// Waits until so many have been started in all.
    pub async fn started(&self, count: usize) {
        soon(self.started.clone().wait_for(|started| *started >= count)).await.expect("the world is there");
    }

    pub fn set_orders(&self, orders: Orders) {
        let mut state = self.lock();
        state.orders = orders;
        for held in std::mem::take(&mut state.held) {
            order(&held, if orders == Orders::Fail { "fail" } else { "serve" });
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // So that the thread looks whether it is still needed.
        self.state = Arc::default();
        let _ = TcpStream::connect(&self.address);
    }
}

/// What a server knows of a thread: what was said in it, one a line.
struct Threads {
    folder: PathBuf,
    /// Those that have neither name nor turn, which codex keeps nothing of.
    fresh: BTreeSet<String>,
    started: usize,
}

impl Threads {
    fn file(&self, thread: &str) -> PathBuf {
        self.folder.join(thread)
    }

    fn add(&mut self, thread: &str, line: &str) {
        self.fresh.remove(thread);
        let mut file = fs::OpenOptions::new().create(true).append(true).open(self.file(thread)).expect("a file");
        writeln!(file, "{line}").expect("it is written");
    }
}

/// Is an app-server until stdin ends.
pub fn serve(world: &str) -> ! {
    let home = PathBuf::from(std::env::var_os("CODEX_HOME").expect("a home"));
    let stream = TcpStream::connect(world).expect("a world");
    (&stream).write_all(format!("{}\n", home.display()).as_bytes()).expect("it listens");
    let mut order = String::new();
    BufReader::new(&stream).read_line(&mut order).expect("an order");
    if order.trim() != "serve" {
        eprintln!("the configuration is broken");
        std::process::exit(3);
    }
    let folder = home.join("threads");
    fs::create_dir_all(&folder).expect("a folder");
    let mut threads = Threads { folder, fresh: BTreeSet::new(), started: 0 };
    // The test harness may have begun a line.
    println!();
    for line in io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let message: Value = serde_json::from_str(&line).expect("JSON");
        if message.get("id").is_some() {
            for answer in answer(&home, &mut threads, &message) {
                println!("{answer}");
            }
        }
    }
    std::process::exit(0);
}

fn answer(home: &Path, threads: &mut Threads, request: &Value) -> Vec<Value> {
    let (id, params) = (&request["id"], &request["params"]);
    let thread = params["threadId"].as_str().unwrap_or_default().to_owned();
    let result = |result: Value| vec![json!({"id": id, "result": result})];
    let known = threads.file(&thread).exists();
    match request["method"].as_str().expect("a method") {
        "initialize" => result(json!({
            "userAgent": format!("tests/0.169.0 ({})", std::process::id()),
            "codexHome": home, "platformFamily": "unix", "platformOs": "linux",
        })),
        "thread/start" => {
            threads.started += 1;
            let thread = format!("{}-{}", std::process::id(), threads.started);
            threads.fresh.insert(thread.clone());
            result(fixtures::value("ThreadStartResponse", &json!({"thread": {"id": thread}})))
        }
        "thread/resume" if known => {
            fs::write(home.join("resumed.json"), params.to_string()).expect("it is written");
            result(fixtures::value("ThreadResumeResponse", &json!({"thread": {"id": thread}})))
        }
        "thread/name/set" if known || threads.fresh.contains(&thread) => {
            threads.add(&thread, &format!("name: {}", params["name"]));
            result(json!({}))
        }
        "thread/delete" if known || threads.fresh.contains(&thread) => {
            threads.fresh.remove(&thread);
            let _ = fs::remove_file(threads.file(&thread));
            result(json!({}))
        }
        "turn/start" if known || threads.fresh.contains(&thread) => {
            let text = params["input"][0]["text"].as_str().unwrap_or_default();
            if text == "die" {
                eprintln!("out of memory");
                std::process::exit(9);
            }
            threads.add(&thread, text);
            let said = fs::read_to_string(threads.file(&thread)).expect("a file");
            let said: Vec<&str> = said.lines().filter(|line| !line.starts_with("name: ")).collect();
            let turn = |status: &str| json!({"threadId": thread, "turn": {"id": "u", "items": [], "status": status}});
            let item = json!({"type": "agentMessage", "id": "m", "text": said.join(", ")});
            let item = json!({"threadId": thread, "turnId": "u", "item": item});
            let delta = json!({"threadId": thread, "turnId": "u", "itemId": "m", "delta": said.join(", ")});
            let mut all = result(json!({"turn": {"id": "u", "items": [], "status": "inProgress", "error": null}}));
            all.push(fixtures::notification("turn/started", &turn("inProgress")));
            all.push(fixtures::notification("item/agentMessage/delta", &delta));
            all.push(fixtures::notification("item/completed", &item));
            all.push(fixtures::notification("turn/completed", &turn("completed")));
            all
        }
        "thread/resume" | "thread/name/set" | "thread/delete" | "turn/start" => {
            let message = format!("no rollout found for thread id {thread}");
            vec![fixtures::error_response(id.clone(), -32600, &message)]
        }
        other => vec![fixtures::error_response(id.clone(), -32601, other)],
    }
}
