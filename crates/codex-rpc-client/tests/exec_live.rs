//! Exec mode and the real executable, where `CODEX_BIN` names one.
#![cfg(unix)]

mod cases;
#[path = "exec/codex.rs"]
mod codex;
#[path = "exec/sanitise.rs"]
mod sanitise;
#[path = "exec/scenarios.rs"]
mod scenarios;

use std::fs;
use std::path::Path;
use std::time::Duration;

use cases::Case;
use codex::Codex;
use codex_rpc_client::Error;
use codex_rpc_client::exec::{ExecEvent, ExecItem, ExecResult, ItemStatus};
use serde_json::{Value, json};

/// One turn of a conversation, not sanitised.
fn turn(prompt: &str, result: &ExecResult) -> Value {
    json!({
        "thread": result.thread_id,
        "prompt": prompt,
        "items": result.items,
        "response": result.final_response,
        "usage": result.usage,
    })
}

fn sanitised(codex: &Codex, conversation: &Value) -> Value {
    serde_json::from_str(&codex.sanitiser().text(&conversation.to_string())).unwrap()
}

/// The texts that the model was sent in its only request.
fn only_input(codex: &Codex) -> String {
    let requests = codex.model.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    requests[0].body.as_ref().unwrap()["input"].to_string()
}

#[tokio::test]
async fn a_run_answers_exactly_what_the_model_said() {
    let Some((executable, release)) = codex::executable() else { return };
    let case = Case::start("exec", &release);
    let reply = "  Exactly this: \"ü\" \\ 😀, and\nno more.";
    let codex = Codex::new(&executable, &json!({"answers": [[{"message": reply}]]}), "");
    let prompt = "-- Say exactly \"this\".\n\tAnd no more.";
    let result = codex.exec().ephemeral(true).prompt(prompt).run().await.unwrap();
    assert_eq!(result.text(), reply);
    assert_eq!(result.usage.output_tokens, 30);
    assert_eq!((result.items.len(), result.errors.len(), result.malformed.len()), (1, 0, 0), "{result:?}");
    assert!(only_input(&codex).contains(&json!(prompt).to_string()), "the prompt arrives as it is");
    case.succeed(&sanitised(&codex, &json!([turn(prompt, &result)])));
}

#[tokio::test]
async fn a_resumed_thread_recalls_what_its_first_turn_was_told() {
    let Some((executable, release)) = codex::executable() else { return };
    let case = Case::start("exec_resume", &release);
    let codex = Codex::new(&executable, &json!({"answers": [[{"message": "I will remember it."}]]}), "");
    // A word that nobody else can know.
    let word = format!("HERON{}", std::process::id());
    let first_prompt = format!("Remember the word {word}.");
    let first = codex.exec().prompt(&first_prompt).run().await.unwrap();

    // Another model, which knows only what the second request tells.
    let script = json!({
        "captures": {"word": "Remember the word (\\w+)\\."},
        "answers": [[{"message": "It was ${word}."}]]
    });
    let recalling = Codex::new(&executable, &script, "");
    let again = |thread: &str| {
        let exec = codex.exec().config("model_providers.stand_in.base_url", format!("{}/v1", recalling.model.url()));
        exec.resume(thread).prompt("Which word was it?")
    };
    let second = again(&first.thread_id).run().await.unwrap();
    assert_eq!(second.thread_id, first.thread_id);
    assert_eq!(second.text(), format!("It was {word}."));
    assert_eq!(recalling.model.problems(), [""; 0]);
    assert_eq!(second.usage.input_tokens, 2 * first.usage.input_tokens, "usage adds up");
    let input = only_input(&recalling);
    let places = [first_prompt.as_str(), "I will remember it.", "Which word was it?"].map(|text| input.find(text));
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");

    let conversation = json!([turn(&first_prompt, &first), turn("Which word was it?", &second)]);
    let text = sanitised(&codex, &conversation).to_string().replace(&word, "HERON");
    case.succeed(&serde_json::from_str(&text).unwrap());
}

#[tokio::test]
async fn an_unknown_thread_is_a_process_that_failed_and_the_last_one_is_resumed() {
    let Some((executable, _)) = codex::executable() else { return };
    let codex = Codex::new(&executable, &json!({}), "");
    let error = codex.exec().resume("01900000-0000-7000-8000-000000000001").prompt("x").run().await.unwrap_err();
    let Error::Process(error) = error else { panic!("{error}") };
    assert_eq!(error.status.unwrap().code(), Some(1));
    assert!(error.stderr.contains("no rollout found"), "{error}");

    let first = codex.exec().prompt("x").run().await.unwrap();
    let last = codex.exec().resume_last().prompt("y").run().await.unwrap();
    assert_eq!(last.thread_id, first.thread_id);
}

#[tokio::test]
async fn outside_a_repository_codex_refuses_and_the_error_says_why() {
    let Some((executable, _)) = codex::executable() else { return };
    let codex = Codex::new(&executable, &json!({}), "");
    let error = codex.exec().skip_git_repo_check(false).prompt("x").run().await.unwrap_err();
    let Error::Process(error) = error else { panic!("{error}") };
    assert!(error.stderr.contains("--skip-git-repo-check"), "{error}");
}

#[tokio::test]
async fn a_failed_turn_carries_what_was_done_before() {
    let Some((executable, _)) = codex::executable() else { return };
    let scenario = scenarios::all().into_iter().find(|scenario| scenario.name == "failed_after_command").unwrap();
    let (_, result) = scenario.play(&executable).await;
    let Err(Error::ExecFailed(failed)) = result else { panic!("{result:?}") };
    assert!(failed.error.as_ref().unwrap().message.contains("context window"), "{failed}");
    assert_eq!(failed.status.code(), Some(1));
    assert!(failed.thread_id.is_some());
    let [ExecItem::CommandExecution(command)] = failed.items.as_slice() else { panic!("{failed:?}") };
    assert_eq!((command.exit_code, &command.status), (Some(0), &ItemStatus::Completed));
}

#[tokio::test]
async fn every_setting_reaches_the_model() {
    let Some((executable, _)) = codex::executable() else { return };
    let codex = Codex::new(&executable, &json!({}), "");
    let image = codex.path.join("dot.png");
    let png = "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da6364f8cf500f00\
               038601805a347d6b0000000049454e44ae426082";
    let bytes: Vec<u8> = (0..png.len() / 2).map(|at| u8::from_str_radix(&png[2 * at..][..2], 16).unwrap()).collect();
    fs::write(&image, bytes).unwrap();
    let writable = codex.path.join("home");
    let exec = codex
        .exec()
        .model("gpt-5.5-mini")
        .config("model_reasoning_effort", "low")
        .config("developer_instructions", "Say \"ü\" = \\ and\nno more.")
        .image(&image)
        .add_dir(&writable)
        .sandbox(codex_rpc::types::SandboxMode::WorkspaceWrite)
        .output_schema(scenarios::schema());
    let first = exec.clone().prompt("x").run().await.unwrap();
    // All of them go with a thread that is resumed, too.
    exec.resume(&first.thread_id).prompt("y").run().await.unwrap();
    let requests = codex.model.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        let body = request.body.unwrap();
        assert_eq!(body["model"], "gpt-5.5-mini");
        assert_eq!(body["reasoning"]["effort"], "low");
        assert_eq!(body["text"]["format"]["schema"], scenarios::schema());
        let input = body["input"].to_string();
        assert!(input.contains(&json!("Say \"ü\" = \\ and\nno more.").to_string()), "{input}");
        assert!(input.contains("data:image/png;base64,"), "{input}");
        assert!(input.contains(&writable.display().to_string()), "{input}");
    }
}

/// Whether a process has this text in its arguments.
fn is_running(text: &str) -> bool {
    let processes = std::process::Command::new("ps").args(["-eo", "args="]).output().unwrap();
    String::from_utf8(processes.stdout).unwrap().lines().any(|line| line.contains(text))
}

#[tokio::test]
async fn a_command_of_the_model_ends_with_the_run_even_outside_the_sandbox() {
    let Some((executable, _)) = codex::executable() else { return };
    for (number, sandbox) in ["workspace-write", "danger-full-access"].into_iter().enumerate() {
        let text = format!("sleep {}.{number}", 700_000 + u64::from(std::process::id()));
        let script =
            json!({"answers": [[{"call": {"name": "exec_command", "arguments": {"cmd": format!("{text}; echo x")}}}]]});
        let codex = Codex::new(&executable, &script, "");
        let mut stream = codex.exec().sandbox(sandbox.parse().unwrap()).prompt("x").stream().await.unwrap();
        loop {
            let event = stream.next().await.expect("the command starts").unwrap();
            if matches!(event, ExecEvent::ItemStarted(_)) {
                break;
            }
        }
        while !is_running(&text) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        drop(stream);
        // Killing is at once, but the system takes its time.
        while is_running(&text) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// With `RECORD=1` the recordings are written, else those of this release are compared.
#[tokio::test]
async fn the_executable_says_what_was_recorded() {
    let Some((executable, release)) = codex::executable() else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exec").join(&release);
    let record = std::env::var_os("RECORD").is_some();
    if !record && !folder.is_dir() {
        eprintln!("there are no recordings of {release}: they were NOT compared");
    }
    let mut compared = 0;
    for scenario in scenarios::all() {
        let (said, result) = scenario.play(&executable).await;
        assert_eq!(result.is_err(), scenario.fails, "{}: {result:?}", scenario.name);
        assert_eq!(said.lines().filter(|line| serde_json::from_str::<ExecEvent>(line).is_err()).count(), 0, "{said}");
        let file = folder.join(format!("{}.jsonl", scenario.name));
        if record {
            fs::create_dir_all(&folder).unwrap();
            let new = file.with_extension("new");
            fs::write(&new, said).unwrap();
            fs::rename(new, file).unwrap();
        } else if folder.is_dir() {
            assert_eq!(said, fs::read_to_string(file).unwrap(), "{}: record again with RECORD=1", scenario.name);
            compared += 1;
        }
    }
    eprintln!("{compared} recordings of {release} compared");
}
