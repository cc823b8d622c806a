//! Every recorded session, played by the client that it was recorded with.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use codex_rpc_testkit::replay::{Answers, Options, Order, Params, Replay};
use codex_rpc_testkit::transcript::{From, Line, Reader};
use serde_json::Value;

pub(crate) fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts").join(codex_rpc::CODEX_VERSION);
    let entries = fs::read_dir(folder).expect("the folder of transcripts");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    files
}

/// The messages of a file, by process.
fn messages(path: &Path) -> Vec<(u32, From, String)> {
    let bytes = fs::read(path).expect("a transcript");
    let lines = Reader::new(bytes.as_slice()).filter_map(|(_, line)| match line {
        Line::Message { from, process, message } => Some((process, from, message.get().to_owned())),
        Line::Header(_) => None,
        Line::Unreadable(why) => panic!("{}: {why}", path.display()),
    });
    lines.collect()
}

/// Plays all processes of all files. `client` and `server` make of a recorded message
/// what is sent and what must come. Returns how many messages of the server came.
fn play_all(
    options: &Options,
    mut client: impl FnMut(&str) -> String,
    mut server: impl FnMut(&str, &str, &str),
) -> (usize, usize) {
    let (mut files_played, mut came) = (0, 0);
    for path in files() {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let all = messages(&path);
        for process in all.iter().map(|(process, ..)| *process).collect::<BTreeSet<_>>() {
            let input = fs::read(&path).expect("a transcript");
            let options = options.clone().process(process);
            let mut replay = Replay::with_options(&name, input.as_slice(), options).expect("it can be played");
            let mut lines = replay.start().into_iter();
            for (_, from, message) in all.iter().filter(|(other, ..)| *other == process) {
                match from {
                    From::Server => {
                        let line = lines.next().unwrap_or_else(|| panic!("{name}: {message} does not come"));
                        server(&name, message, &line);
                        came += 1;
                    }
                    From::Client => {
                        assert_eq!(lines.next(), None, "{name}: comes before {message}");
                        let sent = client(message);
                        lines = replay.receive(&sent).unwrap_or_else(|error| panic!("{error}")).into_iter();
                    }
                }
            }
            assert_eq!(lines.next(), None, "{name}: comes at the end");
            assert!(replay.is_finished(), "{name}");
            replay.finish().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(replay.ignored(), 0, "{name}");
        }
        files_played += 1;
    }
    (files_played, came)
}

#[track_caller]
fn assert_counts((files, messages): (usize, usize)) {
    assert!(files >= 76, "{files} transcripts");
    assert!(messages >= 3000, "{messages} messages");
}

#[test]
fn the_recorded_client_gets_the_recorded_bytes_in_the_recorded_order() {
    for order in [Order::Recorded, Order::Any] {
        let strict = Options::new().order(order).params(Params::Same).answers(Answers::Same);
        assert_counts(play_all(&strict, str::to_owned, |name, recorded, line| assert_eq!(line, recorded, "{name}")));
    }
}

#[test]
fn a_client_with_other_ids_gets_the_recorded_messages_under_its_ids() {
    // The client's own id by the recorded one; a later process may use one again.
    let ids = RefCell::new(HashMap::<String, String>::new());
    let (requests, answers) = (Cell::new(0), Cell::new(0));
    let client = |message: &str| {
        let mut message: Value = serde_json::from_str(message).expect("JSON");
        if message.get("method").is_some() && message.get("id").is_some() {
            requests.set(requests.get() + 1);
            let recorded = message["id"].to_string();
            let id = format!("a{}", requests.get());
            ids.borrow_mut().insert(recorded, id.clone());
            message["id"] = id.into();
        }
        message.to_string()
    };
    let server = |name: &str, recorded: &str, line: &str| {
        let mut recorded: Value = serde_json::from_str(recorded).expect("JSON");
        if recorded.get("method").is_none() {
            let id = recorded["id"].to_string();
            recorded["id"] = ids.borrow()[&id].clone().into();
            answers.set(answers.get() + 1);
        }
        assert_eq!(serde_json::from_str::<Value>(line).expect("JSON"), recorded, "{name}");
    };
    assert_counts(play_all(&Options::new(), client, server));
    assert_eq!(requests.get(), answers.get(), "all requests were answered");
    assert!(answers.get() >= 600, "{} answers", answers.get());
}
