use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// What was done so far, and what is still to be told to the pool.
struct World {
    pool: Pool<u64>,
    limit: usize,
    starting: Vec<Place>,
    ending: Vec<Place>,
    idle: Vec<(Place, u64)>,
    leases: Vec<Place>,
    /// In the order in which they came.
    waiting: BTreeMap<u64, String>,
    granted: Vec<u64>,
    refused: Vec<u64>,
}

impl World {
    fn new(limit: usize) -> Self {
        Self {
            pool: Pool::new(limit),
            limit,
            starting: Vec::new(),
            ending: Vec::new(),
            idle: Vec::new(),
            leases: Vec::new(),
            waiting: BTreeMap::new(),
            granted: Vec::new(),
            refused: Vec::new(),
        }
    }

    fn acquire(&mut self, tenant: &str) -> u64 {
        let (waiter, steps) = self.pool.acquire(tenant);
        self.waiting.insert(waiter, tenant.to_owned());
        self.take(steps);
        waiter
    }

    fn take(&mut self, steps: Vec<Step<u64>>) {
        for step in steps {
            match step {
                Step::Grant { waiter, place, process } => {
                    let tenant = self.waiting.remove(&waiter).expect("it waited");
                    assert_eq!((&tenant, process), (&place.tenant, place.generation), "its own tenant's process");
                    self.granted.push(waiter);
                    self.leases.push(place);
                }
                Step::Refuse { waiter } => {
                    self.waiting.remove(&waiter).expect("it waited");
                    self.refused.push(waiter);
                }
                Step::Start(place) => {
                    let others = self.starting.iter().chain(&self.ending);
                    assert!(others.into_iter().all(|other| other.tenant != place.tenant), "one at a time");
                    self.starting.push(place);
                }
                Step::Idle { place, used } => self.idle.push((place, used)),
                Step::End { place, .. } => self.ending.push(place),
            }
        }
        let stats = self.pool.stats();
        assert!(self.pool.len() <= self.limit, "{stats:?}");
        assert_eq!(stats.waiting, self.waiting.len());
        assert_eq!((stats.starting, stats.ending), (self.starting.len(), self.ending.len()));
        // Who could have a process has it.
        let wants_room = self.waiting.keys().filter(|waiter| self.pool.wants_room(**waiter)).count();
        if wants_room > 0 && stats.ending == 0 {
            assert_eq!(self.pool.len(), self.limit, "there was room");
            assert_eq!(stats.running, stats.leased, "an idle one could have gone");
        }
    }

    fn started(&mut self, index: usize) {
        let place = self.starting.remove(index);
        let steps = self.pool.started(&place, place.generation);
        self.take(steps);
    }

    fn failed(&mut self, index: usize) {
        let place = self.starting.remove(index);
        let steps = self.pool.failed(&place);
        self.take(steps);
    }

    fn released(&mut self, index: usize) {
        let place = self.leases.remove(index);
        let steps = self.pool.released(&place);
        self.take(steps);
    }

    fn expired(&mut self, index: usize) {
        let (place, used) = self.idle.remove(index);
        let steps = self.pool.expired(&place, used);
        self.take(steps);
    }

    fn died(&mut self, lease: usize) {
        let place = self.leases[lease].clone();
        let steps = self.pool.died(&place);
        self.take(steps);
    }

    fn gone(&mut self, index: usize) {
        let place = self.ending.remove(index);
        let steps = self.pool.gone(&place);
        self.take(steps);
    }

    fn give_up(&mut self, waiter: u64) {
        self.waiting.remove(&waiter).expect("it waits");
        let steps = self.pool.give_up(waiter);
        self.take(steps);
    }

    /// A running process of a tenant, in use once.
    fn lease(&mut self, tenant: &str) {
        self.acquire(tenant);
        self.started(0);
    }
}

#[test]
fn all_who_want_one_tenant_share_one_start() {
    let mut world = World::new(4);
    let waiters = [(); 3].map(|()| world.acquire("a"));
    assert_eq!(world.starting.len(), 1);
    world.started(0);
    assert_eq!(world.granted, waiters);
    assert_eq!(world.leases.len(), 3);
    assert_eq!(world.pool.stats(), Stats { running: 1, leased: 1, ..Stats::default() });
}

#[test]
fn a_start_that_fails_is_told_to_all_and_the_next_one_tries_anew() {
    let mut world = World::new(1);
    let waiters = [(); 2].map(|()| world.acquire("a"));
    world.failed(0);
    assert_eq!(world.refused, waiters);
    world.acquire("a");
    assert_eq!(world.starting.len(), 1);
    world.started(0);
    assert_eq!(world.granted.len(), 1);
}

#[test]
fn a_start_that_fails_makes_room_for_the_next_tenant() {
    let mut world = World::new(1);
    world.acquire("a");
    world.acquire("b");
    world.failed(0);
    assert_eq!(world.starting[0].tenant, "b");
}

#[test]
fn the_first_who_waits_for_room_gets_it_first() {
    let mut world = World::new(1);
    world.lease("a");
    let waiters = ["b", "c", "b"].map(|tenant| world.acquire(tenant));
    assert_eq!(world.pool.stats().waiting, 3);
    world.released(0);
    world.gone(0);
    world.started(0);
    // The two of one tenant share its process, so the third passes the second.
    assert_eq!(world.granted[1..], [waiters[0], waiters[2]]);
    world.released(0);
    assert!(world.ending.is_empty(), "there is another user");
    world.released(0);
    world.gone(0);
    world.started(0);
    assert_eq!(world.granted[3], waiters[1]);
}

#[test]
fn the_least_recently_used_idle_process_makes_room() {
    let mut world = World::new(3);
    for tenant in ["a", "b", "c"] {
        world.lease(tenant);
    }
    // In use: b. Idle: c, and a, which was used again since.
    world.released(2);
    world.released(0);
    world.acquire("d");
    assert_eq!(world.ending.iter().map(|place| place.tenant.as_str()).collect::<Vec<_>>(), ["c"]);
    assert!(world.starting.is_empty(), "there is no room before it is gone");
    world.acquire("e");
    world.acquire("f");
    assert_eq!(world.ending.len(), 2, "what is in use stays");
    world.gone(0);
    assert_eq!(world.starting[0].tenant, "d");
}

#[test]
fn a_process_is_not_started_again_before_the_old_one_is_gone() {
    let mut world = World::new(2);
    world.lease("a");
    world.died(0);
    world.acquire("a");
    assert!(world.starting.is_empty());
    world.gone(0);
    assert_eq!(world.starting.len(), 1);
    world.started(0);
    // The old one's user is none of the new one's.
    world.released(0);
    assert_eq!(world.pool.stats().leased, 1);
}

#[test]
fn an_idle_process_expires_unless_it_was_used_since() {
    let mut world = World::new(2);
    world.lease("a");
    assert!(world.idle.is_empty());
    world.released(0);
    world.acquire("a");
    world.expired(0);
    assert!(world.ending.is_empty(), "it is in use");
    world.released(0);
    let (place, used) = world.idle[0].clone();
    let steps = world.pool.expired(&place, used - 1);
    world.take(steps);
    assert!(world.ending.is_empty(), "it was used since");
    world.expired(0);
    assert_eq!(world.ending.len(), 1);
    world.gone(0);
    assert_eq!(world.pool.stats(), Stats::default());
}

#[test]
fn who_gives_up_makes_way_and_ends_nothing_more() {
    let mut world = World::new(1);
    world.lease("a");
    let waiter = world.acquire("b");
    world.give_up(waiter);
    world.released(0);
    assert!(world.ending.is_empty(), "nobody needs the room");
    assert_eq!(world.idle.len(), 1);
}

#[test]
fn closing_refuses_all_and_ends_all_those_being_started_later() {
    let mut world = World::new(2);
    world.lease("a");
    let waiters = ["b", "c"].map(|tenant| world.acquire(tenant));
    let steps = world.pool.close();
    world.take(steps);
    assert_eq!(world.refused, waiters);
    assert_eq!((world.ending.len(), world.starting.len()), (1, 1));
    world.started(0);
    assert_eq!(world.ending.len(), 2);
    let late = world.acquire("a");
    assert_eq!(world.refused[2], late);
    world.released(0);
    world.gone(0);
    world.gone(0);
    assert_eq!(world.pool.len(), 0);
}

proptest! {
    /// [`World::take`] checks after each step what must hold always.
    #[test]
    fn whatever_happens_the_limit_holds_and_everybody_is_answered(
        limit in 1_usize..4,
        events in prop::collection::vec((0_u8..9, any::<prop::sample::Index>()), 0..200),
    ) {
        let mut world = World::new(limit);
        for (kind, index) in events {
            let at = |length: usize| (length > 0).then(|| index.index(length));
            match kind {
                0 | 1 => drop(world.acquire(["a", "b", "c", "d", "e"][index.index(5)])),
                2 => at(world.starting.len()).into_iter().for_each(|index| world.started(index)),
                3 => at(world.starting.len()).into_iter().for_each(|index| world.failed(index)),
                4 => at(world.leases.len()).into_iter().for_each(|index| world.released(index)),
                5 => at(world.idle.len()).into_iter().for_each(|index| world.expired(index)),
                6 => at(world.ending.len()).into_iter().for_each(|index| world.gone(index)),
                7 => at(world.leases.len()).into_iter().for_each(|index| world.died(index)),
                _ => {
                    let waiters: Vec<u64> = world.waiting.keys().copied().collect();
                    if let Some(index) = at(waiters.len()) {
                        world.give_up(waiters[index]);
                    }
                }
            }
        }
        // Everything goes on until nothing is left to do.
        while !(world.starting.is_empty() && world.ending.is_empty() && world.leases.is_empty()) {
            if !world.starting.is_empty() {
                world.started(0);
            } else if !world.ending.is_empty() {
                world.gone(0);
            } else {
                world.released(0);
            }
        }
        prop_assert!(world.waiting.is_empty());
        let answered: BTreeSet<u64> = world.granted.iter().chain(&world.refused).copied().collect();
        prop_assert_eq!(answered.len(), world.granted.len() + world.refused.len(), "once");
    }
}
