//! Those who decode and encode.

use codex_rpc_derived as derived;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::corpus::{Kind, Line};

/// One way to read a line of the server and to write it back.
pub trait Contender: 'static {
    const NAME: &str;
    type Message: 'static;

    fn decode(line: &Line) -> Option<Self::Message>;

    /// None for one that keeps nothing.
    fn encode(message: &Self::Message) -> Option<String>;
}

pub struct Ours;

impl Contender for Ours {
    const NAME: &str = "codex-rpc";
    type Message = codex_rpc::ServerMessage;

    fn decode(line: &Line) -> Option<Self::Message> {
        codex_rpc::ServerMessage::from_json(&line.text).ok()
    }

    fn encode(message: &Self::Message) -> Option<String> {
        message.to_json().ok()
    }
}

/// Reads the JSON and keeps nothing: the floor.
pub struct Ignored;

impl Contender for Ignored {
    const NAME: &str = "IgnoredAny";
    type Message = IgnoredAny;

    fn decode(line: &Line) -> Option<IgnoredAny> {
        serde_json::from_str(&line.text).ok()
    }

    fn encode(_: &IgnoredAny) -> Option<String> {
        None
    }
}

pub struct Untyped;

impl Contender for Untyped {
    const NAME: &str = "Value";
    type Message = Value;

    fn decode(line: &Line) -> Option<Value> {
        serde_json::from_str(&line.text).ok()
    }

    fn encode(message: &Value) -> Option<String> {
        serde_json::to_string(message).ok()
    }
}

/// Is told the kind of the message, and leaves `emittedAtMs` out.
pub struct Derived;

pub enum DerivedMessage {
    Notification(derived::ServerNotification),
    Request(derived::ServerRequest),
    Answer(derived::Response),
}

impl Contender for Derived {
    const NAME: &str = if cfg!(feature = "flatten") { "derive, flatten" } else { "derive" };
    type Message = DerivedMessage;

    fn decode(line: &Line) -> Option<DerivedMessage> {
        let text = &line.text;
        Some(match line.kind {
            Kind::Notification => DerivedMessage::Notification(serde_json::from_str(text).ok()?),
            Kind::Request => DerivedMessage::Request(serde_json::from_str(text).ok()?),
            Kind::Answer => DerivedMessage::Answer(serde_json::from_str(text).ok()?),
        })
    }

    fn encode(message: &DerivedMessage) -> Option<String> {
        match message {
            DerivedMessage::Notification(message) => serde_json::to_string(message).ok(),
            DerivedMessage::Request(message) => serde_json::to_string(message).ok(),
            DerivedMessage::Answer(message) => serde_json::to_string(message).ok(),
        }
    }
}

/// As its clients read a line: the envelope first, then the params by method.
pub struct CodexCodes;

#[expect(clippy::large_enum_variant, reason = "a box would be ours, not theirs")]
pub enum CodexCodesMessage {
    Server(codex_codes::ServerMessage),
    Answer(codex_codes::JsonRpcMessage),
}

impl Contender for CodexCodes {
    const NAME: &str = "codex-codes";
    type Message = CodexCodesMessage;

    fn decode(line: &Line) -> Option<CodexCodesMessage> {
        Some(match line.kind {
            Kind::Answer => CodexCodesMessage::Answer(serde_json::from_str(&line.text).ok()?),
            Kind::Notification | Kind::Request => {
                CodexCodesMessage::Server(codex_codes::ServerMessage::from_json_str(&line.text).ok()?)
            }
        })
    }

    fn encode(message: &CodexCodesMessage) -> Option<String> {
        match message {
            CodexCodesMessage::Server(codex_codes::ServerMessage::Notification(message)) => {
                serde_json::to_string(message).ok()
            }
            // It has no way to write one back.
            CodexCodesMessage::Server(codex_codes::ServerMessage::Request { .. }) => None,
            CodexCodesMessage::Answer(message) => serde_json::to_string(message).ok(),
        }
    }
}

/// Requests of a client, ours.
pub struct OurRequests;

impl Contender for OurRequests {
    const NAME: &str = "codex-rpc";
    type Message = codex_rpc::ClientMessage;

    fn decode(line: &Line) -> Option<Self::Message> {
        codex_rpc::ClientMessage::from_json(&line.text).ok()
    }

    fn encode(message: &Self::Message) -> Option<String> {
        message.to_json().ok()
    }
}

/// Requests of a client, derived.
pub struct DerivedRequests;

impl Contender for DerivedRequests {
    const NAME: &str = Derived::NAME;
    type Message = derived::Request<derived::ClientRequest>;

    fn decode(line: &Line) -> Option<Self::Message> {
        Some(derived::Request { id: 1, payload: serde_json::from_str(&line.text).ok()? })
    }

    fn encode(message: &Self::Message) -> Option<String> {
        serde_json::to_string(message).ok()
    }
}
