//! Maps from names to values.

use std::collections::{BTreeMap, HashMap, btree_map};
use std::fmt;
use std::marker::PhantomData;
use std::ops::Index;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// A map from names to values, in the order of the names.
///
/// It is what a [`BTreeMap<String, V>`](BTreeMap) is, and becomes one and is made of
/// one by `From`; what takes a map in this crate takes either.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use codex_rpc::Map;
///
/// let mut env = Map::from([("LANG", "C.UTF-8"), ("HOME", "/home")].map(|(name, value)| (name, value.to_owned())));
/// env.insert("SHELL", "/bin/sh".to_owned());
/// assert_eq!(env["LANG"], "C.UTF-8");
/// assert_eq!(env.keys().collect::<Vec<_>>(), ["HOME", "LANG", "SHELL"]);
/// assert_eq!(BTreeMap::from(env).len(), 3);
/// ```
///
/// Why not a `BTreeMap` itself: its code is compiled anew for each type of value,
/// and with the twenty types that the protocol has maps of it was a quarter of what
/// this crate gives the compiler to translate. Here the tree holds places in a list,
/// so there is one tree for all of them.
#[derive(Clone)]
pub struct Map<V> {
    places: Places,
    values: Vec<V>,
}

/// Where the value of each name is.
#[derive(Clone, Default)]
struct Places(BTreeMap<String, usize>);

impl Places {
    fn find(&self, name: &str) -> Option<usize> {
        self.0.get(name).copied()
    }

    /// The place of a name, which is the next one if it has none yet.
    fn find_or_add(&mut self, name: String) -> usize {
        let next = self.0.len();
        *self.0.entry(name).or_insert(next)
    }

    /// Takes a name out, with all that come after its place moving up.
    fn remove(&mut self, name: &str) -> Option<usize> {
        let removed = self.0.remove(name)?;
        for place in self.0.values_mut().filter(|place| **place > removed) {
            *place -= 1;
        }
        Some(removed)
    }
}

impl<V> Map<V> {
    /// Without entries.
    pub const fn new() -> Self {
        Self { places: Places(BTreeMap::new()), values: Vec::new() }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Whether a name has a value.
    pub fn contains_key(&self, name: &str) -> bool {
        self.places.find(name).is_some()
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&V> {
        self.values.get(self.places.find(name)?)
    }

    /// The value of a name, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut V> {
        self.values.get_mut(self.places.find(name)?)
    }

    /// Gives a name a value and returns the one that it had.
    pub fn insert(&mut self, name: impl Into<String>, value: V) -> Option<V> {
        let place = self.places.find_or_add(name.into());
        if let Some(old) = self.values.get_mut(place) {
            return Some(std::mem::replace(old, value));
        }
        self.values.push(value);
        None
    }

    /// Takes an entry out and returns its value. It takes the longer the more entries
    /// there are.
    pub fn remove(&mut self, name: &str) -> Option<V> {
        self.places.remove(name).map(|place| self.values.remove(place))
    }

    /// Takes all entries out.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// Names and values, by name.
    pub fn iter(&self) -> Iter<'_, V> {
        Iter { places: self.places.0.iter(), values: &self.values }
    }

    /// The names, in their order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> + DoubleEndedIterator {
        self.places.0.keys().map(String::as_str)
    }

    /// The values, in the order of their names.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &V> + DoubleEndedIterator {
        self.iter().map(|(_, value)| value)
    }

    /// The values, to be changed, in no particular order.
    pub fn values_mut(&mut self) -> impl ExactSizeIterator<Item = &mut V> {
        self.values.iter_mut()
    }
}

impl<V> Default for Map<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: fmt::Debug> fmt::Debug for Map<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<V: PartialEq> PartialEq for Map<V> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other)
    }
}

impl<V: Eq> Eq for Map<V> {}

/// # Panics
/// If the name has no value, as maps of the standard library do.
impl<V> Index<&str> for Map<V> {
    type Output = V;

    fn index(&self, name: &str) -> &V {
        self.get(name).expect("no entry of this name")
    }
}

impl<N: Into<String>, V> Extend<(N, V)> for Map<V> {
    fn extend<I: IntoIterator<Item = (N, V)>>(&mut self, entries: I) {
        for (name, value) in entries {
            self.insert(name, value);
        }
    }
}

impl<N: Into<String>, V> FromIterator<(N, V)> for Map<V> {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(entries: I) -> Self {
        let mut map = Self::new();
        map.extend(entries);
        map
    }
}

impl<N: Into<String>, V, const COUNT: usize> From<[(N, V); COUNT]> for Map<V> {
    fn from(entries: [(N, V); COUNT]) -> Self {
        entries.into_iter().collect()
    }
}

impl<V> From<BTreeMap<String, V>> for Map<V> {
    fn from(map: BTreeMap<String, V>) -> Self {
        map.into_iter().collect()
    }
}

impl<V, S> From<HashMap<String, V, S>> for Map<V> {
    fn from(map: HashMap<String, V, S>) -> Self {
        map.into_iter().collect()
    }
}

impl<V> From<Map<V>> for BTreeMap<String, V> {
    fn from(map: Map<V>) -> Self {
        map.into_iter().collect()
    }
}

/// Names and values of a [`Map`], by name.
#[derive(Clone, Debug)]
pub struct Iter<'a, V> {
    places: btree_map::Iter<'a, String, usize>,
    values: &'a [V],
}

impl<'a, V> Iter<'a, V> {
    fn entry(&self, (name, place): (&'a String, &usize)) -> Option<(&'a str, &'a V)> {
        Some((name, self.values.get(*place)?))
    }
}

impl<'a, V> Iterator for Iter<'a, V> {
    type Item = (&'a str, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.places.next()?;
        self.entry(next)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.places.size_hint()
    }
}

impl<V> DoubleEndedIterator for Iter<'_, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let next = self.places.next_back()?;
        self.entry(next)
    }
}

impl<V> ExactSizeIterator for Iter<'_, V> {}

/// Names and values that were a [`Map`]'s, by name.
#[derive(Debug)]
pub struct IntoIter<V> {
    places: btree_map::IntoIter<String, usize>,
    values: Vec<Option<V>>,
}

impl<V> IntoIter<V> {
    fn entry(&mut self, (name, place): (String, usize)) -> Option<(String, V)> {
        Some((name, self.values.get_mut(place)?.take()?))
    }
}

impl<V> Iterator for IntoIter<V> {
    type Item = (String, V);

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.places.next()?;
        self.entry(next)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.places.size_hint()
    }
}

impl<V> DoubleEndedIterator for IntoIter<V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let next = self.places.next_back()?;
        self.entry(next)
    }
}

impl<V> ExactSizeIterator for IntoIter<V> {}

impl<V> IntoIterator for Map<V> {
    type Item = (String, V);
    type IntoIter = IntoIter<V>;

    fn into_iter(self) -> IntoIter<V> {
        IntoIter { places: self.places.0.into_iter(), values: self.values.into_iter().map(Some).collect() }
    }
}

impl<'a, V> IntoIterator for &'a Map<V> {
    type Item = (&'a str, &'a V);
    type IntoIter = Iter<'a, V>;

    fn into_iter(self) -> Iter<'a, V> {
        self.iter()
    }
}

impl<V: Serialize> Serialize for Map<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Map<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<V>(PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for Entries<V> {
            type Value = Map<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Map<V>, A::Error> {
                let mut map = Map::new();
                while let Some((name, value)) = entries.next_entry::<String, V>()? {
                    map.insert(name, value);
                }
                Ok(map)
            }
        }

        deserializer.deserialize_map(Entries(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same steps with a map of the standard library and with ours.
    #[test]
    fn a_map_does_what_a_btree_map_does() {
        let (mut map, mut model) = (Map::new(), BTreeMap::new());
        let mut random = 7_u32;
        let mut removed = 0;
        for step in 0..4_000_u32 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let name = format!("name {}", random >> 24 & 31);
            if (random >> 16) % 4 == 0 {
                assert_eq!(map.remove(&name), model.remove(&name));
                removed += 1;
            } else {
                assert_eq!(map.insert(name.as_str(), step), model.insert(name.clone(), step));
            }
            assert_eq!(map.get(&name), model.get(&name));
            assert_eq!((map.len(), map.contains_key(&name)), (model.len(), model.contains_key(&name)));
        }
        assert!(removed > 100, "{removed}");
        assert!(map.iter().eq(model.iter().map(|(name, value)| (name.as_str(), value))));
        assert!(map.iter().rev().eq(model.iter().rev().map(|(name, value)| (name.as_str(), value))));
        assert!(map.keys().eq(model.keys()) && map.values().eq(model.values()));
        assert_eq!(format!("{map:?}"), format!("{model:?}"));
        assert_eq!(serde_json::to_string(&map).ok(), serde_json::to_string(&model).ok());
        assert_eq!((BTreeMap::from(map.clone()), Map::from(model.clone())), (model.clone(), map.clone()));
        assert!(map.into_iter().rev().eq(model.into_iter().rev()));
    }

    #[test]
    fn maps_are_equal_in_whatever_order_they_were_filled() {
        assert_eq!(Map::from([("a", 1), ("b", 2)]), Map::from([("b", 2), ("a", 1)]));
        assert_ne!(Map::from([("a", 1)]), Map::from([("a", 2)]));
        assert_ne!(Map::from([("a", 1)]), Map::from([("b", 1)]));
        assert_ne!(Map::from([("a", 1)]), Map::from([("a", 1), ("b", 1)]));
    }

    #[test]
    fn values_can_be_changed_where_they_are() {
        let mut map: Map<u32> = serde_json::from_str(r#"{"b":2,"a":1}"#).expect("a map");
        for value in map.values_mut() {
            *value *= 10;
        }
        *map.get_mut("b").expect("a value") += 1;
        assert_eq!((map["a"], map["b"], map.get("c")), (10, 21, None));
        map.clear();
        assert!(map.is_empty() && map.get_mut("a").is_none());
    }
}
