//! Takes out of text what belongs to the machine or the moment.

use std::collections::HashMap;
use std::path::Path;

use regex::{Captures, Regex};

/// Replaces places by their names and ids by numbers, the same everywhere.
pub struct Sanitiser {
    places: Vec<(String, String)>,
    ids: HashMap<String, usize>,
    id: Regex,
}

impl Sanitiser {
    /// Longer paths first.
    pub fn new(places: &[(&Path, &str)]) -> Self {
        let places = places.iter().map(|(path, name)| (path.display().to_string(), (*name).to_owned())).collect();
        let id = Regex::new("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").unwrap();
        Self { places, ids: HashMap::new(), id }
    }

    pub fn text(&mut self, text: &str) -> String {
        let mut text = text.to_owned();
        for (path, name) in &self.places {
            text = text.replace(path, name);
        }
        let ids = &mut self.ids;
        let number = |found: &Captures<'_>| {
            let next = ids.len() + 1;
            let number = ids.entry(found[0].to_owned()).or_insert(next);
            format!("01900000-0000-7000-8000-{number:012}")
        };
        self.id.replace_all(&text, number).into_owned()
    }
}
