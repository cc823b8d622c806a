//! Logins that somebody completes, or not.

use codex_rpc_client::protocol::types::McpServerOauthLoginParams;
use codex_rpc_client::{ChatgptTokens, Codex, DeviceCodeLogin, Error, Login};
use serde_json::{Value, json};

use crate::peer::{Peer, connect, pair, soon};

fn completed(id: &Value, success: bool, error: Option<&str>) -> Value {
    let params = json!({"loginId": id, "success": success, "error": error, "onboardingEntrypoint": null});
    json!({"method": "account/login/completed", "params": params})
}

fn url() -> Value {
    json!({"type": "chatgpt", "loginId": "own", "authUrl": "https://login.example/?state=s3cret"})
}

/// A login; what is told before its answer.
async fn login(codex: &Codex, peer: &mut Peer, before: &[Value]) -> Login {
    let account = codex.account();
    let (login, ()) = tokio::join!(soon(account.login_chatgpt()), async {
        let request = peer.asked("account/login/start").await;
        assert_eq!(request["params"], json!({"type": "chatgpt"}));
        for message in before {
            peer.say(message.clone()).await;
        }
        peer.answer(&request, url()).await;
    });
    login.expect("a login")
}

async fn device_code_login(codex: &Codex, peer: &mut Peer) -> DeviceCodeLogin {
    let account = codex.account();
    let (login, ()) = tokio::join!(soon(account.login_device_code()), async {
        let request = peer.asked("account/login/start").await;
        assert_eq!(request["params"], json!({"type": "chatgptDeviceCode"}));
        let answer = json!({"type": "chatgptDeviceCode", "loginId": "own", "verificationUrl": "https://login.example/device", "userCode": "ABCD-1234"});
        peer.answer(&request, answer).await;
    });
    login.expect("a login")
}

#[tokio::test]
async fn a_login_that_completes_before_its_answer_is_not_missed() {
    let (codex, mut peer) = pair().await;
    let mut login = login(&codex, &mut peer, &[completed(&json!("own"), true, None)]).await;
    assert_eq!(login.auth_url(), "https://login.example/?state=s3cret");
    soon(login.wait()).await.expect("it has succeeded");
    soon(login.wait()).await.expect("and still has");
}

#[tokio::test]
async fn the_ends_of_other_logins_are_passed_over_and_a_failure_says_why() {
    let (codex, mut peer) = pair().await;
    let mut login = login(&codex, &mut peer, &[]).await;
    for id in [Value::Null, json!("other")] {
        peer.say(completed(&id, true, None)).await;
    }
    peer.say(completed(&json!("own"), false, Some("too late"))).await;
    let failed = soon(login.wait()).await;
    assert!(matches!(&failed, Err(Error::LoginFailed { reason }) if reason == "too late"), "{failed:?}");
}

#[tokio::test]
async fn a_wait_that_was_given_up_can_be_made_again_after_a_cancel() {
    let (codex, mut peer) = pair().await;
    let mut login = login(&codex, &mut peer, &[]).await;
    tokio::select! {
        biased;
        ended = login.wait() => panic!("{ended:?}"),
        () = tokio::task::yield_now() => {}
    }
    let (cancelled, ()) = tokio::join!(soon(login.cancel()), async {
        let request = peer.asked("account/login/cancel").await;
        assert_eq!(request["params"], json!({"loginId": "own"}));
        peer.answer(&request, json!({"status": "canceled"})).await;
        peer.say(completed(&json!("own"), false, Some("not completed"))).await;
    });
    assert!(cancelled.expect("an answer"));
    assert!(matches!(soon(login.wait()).await, Err(Error::LoginFailed { .. })));
    let (again, ()) = tokio::join!(soon(login.cancel()), async {
        let request = peer.asked("account/login/cancel").await;
        peer.answer(&request, json!({"status": "notFound"})).await;
    });
    assert!(!again.expect("an answer"), "there was nothing to cancel");
}

#[tokio::test]
async fn a_device_code_login_is_waited_for_and_cancelled_alike() {
    let (codex, mut peer) = pair().await;
    let mut login = device_code_login(&codex, &mut peer).await;
    assert_eq!(
        (login.id(), login.verification_url(), login.user_code()),
        ("own", "https://login.example/device", "ABCD-1234")
    );
    let (cancelled, ()) = tokio::join!(soon(login.cancel()), async {
        let request = peer.asked("account/login/cancel").await;
        peer.answer(&request, json!({"status": "canceled"})).await;
    });
    assert!(cancelled.expect("an answer"));
    peer.say(completed(&json!("own"), true, None)).await;
    soon(login.wait()).await.expect("it succeeded all the same");
}

#[tokio::test]
async fn no_login_shows_its_url_or_code_and_no_token_is_shown() {
    let (codex, mut peer) = pair().await;
    let shown = [
        format!("{:?}", login(&codex, &mut peer, &[]).await),
        format!("{:?}", device_code_login(&codex, &mut peer).await),
        format!("{:?}", ChatgptTokens::new("s3cret", "account").with_plan("pro")),
    ];
    for shown in &shown {
        for secret in ["s3cret", "ABCD", "login.example"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
    assert!(shown[2].contains("account") && shown[2].contains("pro"), "{shown:?}");
}

#[tokio::test]
async fn a_login_whose_connection_ends_says_so() {
    let (codex, mut peer) = pair().await;
    let mut login = login(&codex, &mut peer, &[]).await;
    drop(peer);
    assert!(matches!(soon(login.wait()).await, Err(Error::Closed { .. })));
}

#[tokio::test]
async fn an_answer_of_another_kind_is_an_error_and_no_login() {
    let (codex, mut peer) = pair().await;
    let account = codex.account();
    let (login, ()) = tokio::join!(soon(account.login_chatgpt()), async {
        let request = peer.asked("account/login/start").await;
        peer.answer(&request, json!({"type": "moonlight"})).await;
    });
    let error = login.expect_err("it is no login").to_string();
    assert!(error.contains("account/login/start") && error.contains("moonlight"), "{error}");
}

#[tokio::test]
async fn the_connection_waits_neither_for_a_login_that_nobody_waits_for_nor_for_one_that_was_dropped() {
    let (codex, mut peer) = pair().await;
    let held = login(&codex, &mut peer, &[]).await;
    let told = completed(&json!("other"), true, None);
    peer.flood(&codex, &told).await;
    drop(held);
    peer.flood(&codex, &told).await;
}

#[tokio::test]
async fn the_token_hook_is_asked_and_its_error_is_told_to_the_server() {
    let builder = Codex::builder().on_token_refresh(|asked| async move {
        match asked.previous_account_id {
            Some(account) => Ok(ChatgptTokens::new("new", account).with_plan("pro")),
            None => Err("which account?"),
        }
    });
    let (_codex, mut peer) = connect(builder).await;
    for (id, account) in [json!("a-1"), Value::Null].iter().enumerate() {
        let params = json!({"reason": "unauthorized", "previousAccountId": account});
        peer.say(json!({"id": id, "method": "account/chatgptAuthTokens/refresh", "params": params})).await;
    }
    let mut answers = [peer.message().await, peer.message().await];
    answers.sort_by_key(|answer| answer["id"].as_u64());
    assert_eq!(
        answers[0]["result"],
        json!({"accessToken": "new", "chatgptAccountId": "a-1", "chatgptPlanType": "pro"})
    );
    assert_eq!(answers[1]["error"]["message"], "which account?");
}

#[tokio::test]
async fn a_login_to_an_mcp_server_is_told_from_others_by_its_id_or_else_by_its_thread() {
    let (codex, mut peer) = pair().await;
    let mcp = codex.mcp();
    for id in [json!("own"), Value::Null] {
        let params = McpServerOauthLoginParams::new("web").thread_id("t");
        let (login, ()) = tokio::join!(soon(mcp.login(params)), async {
            let request = peer.asked("mcpServer/oauth/login").await;
            let other = if id.is_null() { Value::Null } else { json!("other") };
            for (name, thread, id, error) in [
                ("web", "other", &other, "another login"),
                ("mail", "t", &id, "another server"),
                ("web", "t", &id, "own"),
            ] {
                let params = json!({"name": name, "threadId": thread, "loginId": id, "success": false, "error": error});
                peer.say(json!({"method": "mcpServer/oauthLogin/completed", "params": params})).await;
            }
            let result = json!({"authorizationUrl": "https://login.example", "loginId": id});
            peer.answer(&request, result).await;
        });
        let mut login = login.expect("a login");
        assert!(!format!("{login:?}").contains("login.example"));
        let failed = soon(login.wait()).await;
        assert!(matches!(&failed, Err(Error::LoginFailed { reason }) if reason == "own"), "{failed:?}");
    }
}
