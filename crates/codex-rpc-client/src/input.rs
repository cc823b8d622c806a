//! What a turn is given.

use codex_rpc::types::{
    AudioUserInput, FunctionCallOutputBody, ImageUserInput, LocalAudioUserInput, LocalImageUserInput, MentionUserInput,
    SkillUserInput, TextUserInput, TurnToolOutput, UserInput,
};

/// What a turn is given: texts, images, audio, skills and mentions in order, or a message
/// from outside. A `&str` is one, too.
///
/// ```
/// use codex_rpc_client::Input;
///
/// let input = Input::text("What is on the picture?").and_local_image("/tmp/picture.png");
/// let plain: Input = "Say hello.".into();
/// # assert_eq!(plain, Input::text("Say hello."));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Input {
    /// What the user gives, in order.
    pub user: Vec<UserInput>,
    /// A message from outside.
    pub external: Option<TurnToolOutput>,
}

impl Input {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::default().and_text(text)
    }

    /// A message from something that is not the user: a chat, a ticket, a web hook. The
    /// model reads it with the authority of a tool's output: it can't give permissions.
    /// It starts a turn, or joins the one that runs.
    ///
    /// `name` says where it comes from, as a tool's name would.
    pub fn external(name: impl Into<String>, text: impl Into<String>) -> Self {
        let output = TurnToolOutput::new(name, FunctionCallOutputBody::Text(text.into()));
        Self { user: Vec::new(), external: Some(output) }
    }

    /// Adds a text.
    #[must_use]
    pub fn and_text(self, text: impl Into<String>) -> Self {
        self.and(TextUserInput::new(text))
    }

    /// Adds an image by its URL, which may be a `data:` URL.
    #[must_use]
    pub fn and_image(self, url: impl Into<String>) -> Self {
        self.and(ImageUserInput::from_url(url))
    }

    /// Adds an image by its path on the server's machine.
    #[must_use]
    pub fn and_local_image(self, path: impl Into<String>) -> Self {
        self.and(LocalImageUserInput::new(path))
    }

    /// Adds audio by its URL, which may be a `data:` URL.
    #[must_use]
    pub fn and_audio(self, url: impl Into<String>) -> Self {
        self.and(AudioUserInput::from_url(url))
    }

    /// Adds audio by its path on the server's machine.
    #[must_use]
    pub fn and_local_audio(self, path: impl Into<String>) -> Self {
        self.and(LocalAudioUserInput::new(path))
    }

    /// Adds a skill by its name and the path of its file.
    #[must_use]
    pub fn and_skill(self, name: impl Into<String>, path: impl Into<String>) -> Self {
        self.and(SkillUserInput::new(name, path))
    }

    /// Adds a mention: of a file, an app, a plugin.
    #[must_use]
    pub fn and_mention(self, name: impl Into<String>, path: impl Into<String>) -> Self {
        self.and(MentionUserInput::new(name, path))
    }

    /// Adds an input of the protocol.
    #[must_use]
    pub fn and(mut self, input: impl Into<UserInput>) -> Self {
        self.user.push(input.into());
        self
    }
}

impl From<&str> for Input {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Input {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<&String> for Input {
    fn from(text: &String) -> Self {
        Self::text(text)
    }
}

impl From<UserInput> for Input {
    fn from(input: UserInput) -> Self {
        Self::default().and(input)
    }
}

impl From<Vec<UserInput>> for Input {
    fn from(user: Vec<UserInput>) -> Self {
        Self { user, external: None }
    }
}
