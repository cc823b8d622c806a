//! The client without async and the real executable, where `CODEX_BIN` names one.
#![cfg(all(feature = "blocking", target_os = "linux"))]

use std::fs;

use codex_rpc_client::blocking::Codex;
use codex_rpc_client::protocol::types::{
    AskForApproval, DangerFullAccessSandboxPolicy, ModelListParams, SandboxMode, ThreadListParams, ThreadStartParams,
};
use codex_rpc_testkit::stand_in::{Script, StandIn};

/// The processes whose environment has this text.
fn processes(text: &str) -> usize {
    let processes = fs::read_dir("/proc").expect("processes").filter_map(Result::ok);
    let environments = processes.filter_map(|process| fs::read(process.path().join("environ")).ok());
    environments.filter(|environment| String::from_utf8_lossy(environment).contains(text)).count()
}

#[test]
fn a_session_talks_runs_commands_and_leaves_no_process() {
    let Some(executable) = std::env::var_os("CODEX_BIN") else {
        eprintln!("CODEX_BIN is not set: the real executable was NOT tried");
        return;
    };
    let script: Script =
        serde_json::from_str(r#"{"answers": [[{"message": "Hello."}], [{"message": "Again."}]]}"#).expect("a script");
    let model = StandIn::start(script).expect("a stand-in");
    let home = tempfile::tempdir().expect("a folder");
    let config = format!(
        "model = \"gpt-5.5\"\nmodel_provider = \"stand_in\"\n[model_providers.stand_in]\nname = \"Stand-in\"\n\
         base_url = \"{}/v1\"\nwire_api = \"responses\"\nrequest_max_retries = 0\nstream_max_retries = 0\n\
         [features]\nplugins = false\n",
        model.url()
    );
    fs::write(home.path().join("config.toml"), config).expect("a configuration");
    let mut builder = Codex::builder().executable(&executable).home(home.path()).directory(home.path());
    builder = builder.env("HOME", home.path()).env("NO_PROXY", "127.0.0.1");
    for proxy in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        builder = builder.env(proxy, "http://127.0.0.1:9");
    }
    let codex = builder.experimental_api(true).start().expect("a session");
    let mark = format!("CODEX_HOME={}\0", home.path().display());
    assert!(processes(&mark) > 0);

    let params = ThreadStartParams::new().sandbox(SandboxMode::ReadOnly).approval_policy(AskForApproval::Never);
    let thread = codex.start_thread(params).expect("a thread");
    assert_eq!(thread.run("Say hello.").expect("a turn").text(), "Hello.");
    let turn = thread.turn("Again.").expect("a turn");
    let mut stream = turn.stream();
    let mut text = String::new();
    while let Some(delta) = stream.next_text() {
        text += &delta;
    }
    assert_eq!((text.as_str(), turn.join().expect("a result").text()), ("Again.", "Again."));

    let command = codex.command(["sort"]).sandbox(DangerFullAccessSandboxPolicy::new()).stdin().time_limit(None);
    let command = command.spawn().expect("a command");
    command.write("b\na\n").expect("it reads");
    command.close_stdin().expect("it reads");
    let output: Vec<u8> = command.chunks().flat_map(|chunk| chunk.bytes).collect();
    assert_eq!((output.as_slice(), command.wait().expect("an end")), (b"a\nb\n".as_slice(), 0));

    let (files, path) = (codex.files(), home.path().join("notes"));
    files.write(&path, "Remember.").expect("it is written");
    assert_eq!(files.read_to_string(&path).expect("a text"), "Remember.");
    assert!(!codex.models(ModelListParams::new()).all().expect("models").is_empty());
    let threads: Result<Vec<_>, _> = codex.threads(ThreadListParams::new()).collect();
    assert!(threads.expect("threads").iter().any(|listed| listed.id == thread.id()));
    assert_eq!(codex.config().read().expect("a configuration").config.model.as_deref(), Some("gpt-5.5"));

    drop((codex, thread, turn, stream, files));
    assert_eq!(processes(&mark), 0);
}
