//! Finding a name in a fixed set.

/// The slots of a table: some five times the names of the largest set.
const SLOTS: usize = 1024;

const EMPTY: u8 = u8::MAX;

/// A hash table over names, made when the crate is compiled. A name is mostly
/// found with one comparison; a search by halves takes eight, and the names of
/// methods have long beginnings in common.
pub(crate) struct NameTable {
    names: &'static [&'static str],
    places: [u8; SLOTS],
}

impl NameTable {
    pub(crate) const fn new(names: &'static [&'static str]) -> Self {
        assert!(names.len() < EMPTY as usize, "a place is a byte");
        let mut places = [EMPTY; SLOTS];
        let mut place = 0;
        while place < names.len() {
            let mut slot = slot(names[place]);
            while places[slot] != EMPTY {
                slot = (slot + 1) % SLOTS;
            }
            #[expect(clippy::cast_possible_truncation, reason = "there are fewer names than fit a byte")]
            let byte = place as u8;
            places[slot] = byte;
            place += 1;
        }
        Self { names, places }
    }

    /// Where a name stands in the set.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        let mut slot = slot(name);
        loop {
            let place = usize::from(self.places[slot]);
            // An empty slot's place is beyond the names.
            if *self.names.get(place)? == name {
                return Some(place);
            }
            slot = (slot + 1) % SLOTS;
        }
    }
}

/// Names differ in their first eight bytes, their last eight, or their length,
/// mostly.
const fn slot(name: &str) -> usize {
    let bytes = name.as_bytes();
    let (first, last) = match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => (short(bytes), 0),
    };
    let mixed = (first.rotate_left(23) ^ last ^ bytes.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 54) as usize % SLOTS
}

const fn short(bytes: &[u8]) -> u64 {
    let (mut number, mut index) = (0, 0);
    while index < bytes.len() {
        number = number << 8 | bytes[index] as u64;
        index += 1;
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::Methods;

    fn check(names: &'static [&'static str]) {
        let table = NameTable::new(names);
        for (place, name) in names.iter().enumerate() {
            assert_eq!(table.find(name), Some(place), "{name}");
            assert_eq!(table.find(&name[1..]), None, "{name}");
        }
        assert_eq!(table.find(""), None);
    }

    #[test]
    fn every_name_is_found_and_no_other() {
        check(crate::ClientRequest::NAMES);
        check(crate::ClientNotification::NAMES);
        check(crate::ServerRequest::NAMES);
        check(crate::ServerNotification::NAMES);
    }

    #[test]
    fn most_names_have_a_slot_of_their_own() {
        let slots: std::collections::BTreeSet<usize> =
            crate::ServerNotification::NAMES.iter().map(|name| slot(name)).collect();
        assert!(slots.len() * 10 >= crate::ServerNotification::NAMES.len() * 9, "{}", slots.len());
    }
}
