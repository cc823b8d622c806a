//! From ids (`folder/Name`) to keys (`Name`), and what the unions of methods say.

use std::collections::{BTreeMap, BTreeSet};

use super::read::Sources;
use super::{HarvestError, TsType};

/// Types and docs by key.
pub(super) struct Linked {
    pub(super) types: BTreeMap<String, TsType>,
    pub(super) docs: BTreeMap<String, String>,
}

/// Gives every alias its key and lets every reference hold a key.
pub(super) fn link(sources: &Sources) -> Result<Linked, HarvestError> {
    for used in &sources.uses {
        if !sources.aliases.contains_key(&used.id) {
            let target = match used.id.strip_prefix('/') {
                Some(name) => format!("{name}.ts"),
                None => format!("{}.ts", used.id),
            };
            return Err(HarvestError::Dangling {
                file: used.file.clone(),
                line: used.line,
                name: used.name.clone(),
                target,
            });
        }
    }

    let keys = keys(sources);
    let mut linked = Linked { types: BTreeMap::new(), docs: BTreeMap::new() };
    // Owners first, so that the type that gives a key its name also gives it
    // its docs; equal shapes of other folders add docs only where none are.
    let mut ids: Vec<&String> = sources.aliases.keys().collect();
    ids.sort_by_key(|id| rank(id));
    for id in ids {
        let alias = &sources.aliases[id];
        let key = &keys[id.as_str()];
        if !linked.types.contains_key(key) {
            let mut ty = alias.ty.clone();
            ty.rename(&|id| keys[id].clone());
            linked.types.insert(key.clone(), ty);
        }
        if let Some(doc) = &alias.doc {
            linked.docs.entry(key.clone()).or_insert_with(|| doc.clone());
        }
    }
    Ok(linked)
}

/// id -> key. Starts with one key a name and splits off what differs from the
/// owner of the name until nothing does: two types that read the same but
/// refer to types that differ are different too.
fn keys(sources: &Sources) -> BTreeMap<&str, String> {
    let mut names: BTreeMap<&str, BTreeSet<(u8, &str)>> = BTreeMap::new();
    let mut keys: BTreeMap<&str, String> = BTreeMap::new();
    for id in sources.aliases.keys() {
        let (_, name) = split(id);
        names.entry(name).or_default().insert((rank(id).0, id));
        keys.insert(id, name.to_owned());
    }
    loop {
        let shape = |id: &str| {
            let mut ty = sources.aliases[id].ty.clone();
            ty.strip_docs();
            ty.rename(&|id| keys[id].clone());
            ty
        };
        let mut differing = Vec::new();
        for (name, ids) in names.iter().filter(|(_, ids)| ids.len() > 1) {
            let mut ids = ids.iter().map(|(_, id)| *id);
            let Some(owner) = ids.next() else { continue };
            let first = shape(owner);
            differing.extend(ids.filter(|id| keys[id] == *name && shape(id) != first));
        }
        if differing.is_empty() {
            return keys;
        }
        for id in differing {
            let (folder, name) = split(id);
            let folder = if folder.is_empty() { "root" } else { folder };
            keys.insert(id, format!("{folder}/{name}"));
        }
    }
}

fn split(id: &str) -> (&str, &str) {
    id.rsplit_once('/').unwrap_or(("", id))
}

/// Which folder owns a name that several export: the JSON export uses the
/// types of `v2`, then those of the root.
fn rank(id: &str) -> (u8, &str) {
    match split(id).0 {
        "v2" => (0, id),
        "" => (1, id),
        _ => (2, id),
    }
}

impl TsType {
    /// The methods that this type lists, in order; `name` is what it is called
    /// in an error. For the types of [`super::METHOD_UNIONS`].
    ///
    /// # Errors
    ///
    /// [`HarvestError::NoMethod`] if an arm has no literal `method`.
    pub fn methods(&self, name: &str) -> Result<Vec<String>, HarvestError> {
        let arms = match self {
            Self::Union { arms } => arms.as_slice(),
            one => std::slice::from_ref(one),
        };
        arms.iter()
            .enumerate()
            .map(|(index, arm)| {
                arm.method().ok_or_else(|| HarvestError::NoMethod { name: name.to_owned(), arm: index + 1 })
            })
            .collect()
    }

    fn method(&self) -> Option<String> {
        let Self::Object { fields } = self else {
            return None;
        };
        let field = fields.iter().find(|field| field.name == "method")?;
        let Self::Literal { value } = &field.ty else {
            return None;
        };
        value.as_str().map(str::to_owned)
    }

    /// Calls `f` with every type directly inside this one.
    fn children(&mut self, f: &mut dyn FnMut(&mut Self)) {
        match self {
            Self::Keyword { .. } | Self::Literal { .. } | Self::Reference { .. } => {}
            Self::Array { items } => f(items),
            Self::Map { values, .. } => f(values),
            Self::Object { fields } => fields.iter_mut().for_each(|field| f(&mut field.ty)),
            Self::Union { arms: all } | Self::Intersection { parts: all } | Self::Tuple { items: all } => {
                all.iter_mut().for_each(f);
            }
        }
    }

    fn rename(&mut self, key: &dyn Fn(&str) -> String) {
        match self {
            Self::Reference { name } | Self::Map { keys: Some(name), .. } => *name = key(name),
            _ => {}
        }
        self.children(&mut |child| child.rename(key));
    }

    fn strip_docs(&mut self) {
        if let Self::Object { fields } = self {
            for field in fields {
                field.doc = None;
            }
        }
        self.children(&mut Self::strip_docs);
    }
}
