//! Who has a process and who waits for one: what is decided, not how it is done.

use std::collections::{HashMap, HashSet, VecDeque};

/// Processes, at most one a tenant, and those who wait.
///
/// What a method returns must be done, in that order.
pub(super) struct Pool<P> {
    limit: usize,
    slots: HashMap<String, Slot<P>>,
    waiting: VecDeque<Waiter>,
    closed: bool,
    /// Numbers waiters, processes and uses.
    clock: u64,
}

struct Slot<P> {
    /// Tells the processes of a tenant apart.
    generation: u64,
    phase: Phase<P>,
}

enum Phase<P> {
    Starting,
    Running { process: P, users: usize, used: u64 },
    Ending,
}

struct Waiter {
    id: u64,
    tenant: String,
}

/// A tenant's process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) tenant: String,
    pub(super) generation: u64,
}

/// What is to be done.
#[derive(Debug, PartialEq)]
pub(super) enum Step<P> {
    /// Give a waiter the process.
    Grant { waiter: u64, place: Place, process: P },
    /// Tell a waiter that nothing will come of it.
    Refuse { waiter: u64 },
    /// Start a process; then [`Pool::started`] or [`Pool::failed`].
    Start(Place),
    /// Nobody uses it any more: call [`Pool::expired`] after the idle time-out.
    Idle { place: Place, used: u64 },
    /// End the process; then [`Pool::gone`].
    End { place: Place, process: P },
}

/// How many there are of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Processes that are being started.
    pub starting: usize,
    /// Processes that run, in use or idle.
    pub running: usize,
    /// Those of the running that are in use.
    pub leased: usize,
    /// Processes that are being ended.
    pub ending: usize,
    /// Those who wait for a process: for room, or for it to start.
    pub waiting: usize,
}

impl<P: Clone> Pool<P> {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, slots: HashMap::new(), waiting: VecDeque::new(), closed: false, clock: 0 }
    }

    pub(super) fn stats(&self) -> Stats {
        let mut stats = Stats { waiting: self.waiting.len(), ..Stats::default() };
        for slot in self.slots.values() {
            match slot.phase {
                Phase::Starting => stats.starting += 1,
                Phase::Running { users, .. } => {
                    stats.running += 1;
                    stats.leased += usize::from(users > 0);
                }
                Phase::Ending => stats.ending += 1,
            }
        }
        stats
    }

    /// A tenant's process, if it runs.
    pub(super) fn running(&self, tenant: &str) -> Option<(Place, &P)> {
        match self.slots.get(tenant)? {
            Slot { generation, phase: Phase::Running { process, .. } } => {
                Some((Place { tenant: tenant.to_owned(), generation: *generation }, process))
            }
            _ => None,
        }
    }

    /// How many processes there are, in whatever state.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    fn slot(&mut self, place: &Place) -> Option<&mut Slot<P>> {
        self.slots.get_mut(&place.tenant).filter(|slot| slot.generation == place.generation)
    }

    /// Somebody wants a process; the number of the waiter, which may be granted at once.
    pub(super) fn acquire(&mut self, tenant: &str) -> (u64, Vec<Step<P>>) {
        let id = self.tick();
        if self.closed {
            return (id, vec![Step::Refuse { waiter: id }]);
        }
        self.waiting.push_back(Waiter { id, tenant: tenant.to_owned() });
        (id, self.advance())
    }

    /// A waiter does not wait any more.
    pub(super) fn give_up(&mut self, waiter: u64) -> Vec<Step<P>> {
        self.waiting.retain(|waiting| waiting.id != waiter);
        self.advance()
    }

    /// Whether a waiter still waits for room, and not only for its process to start.
    pub(super) fn wants_room(&self, waiter: u64) -> bool {
        let waiting = self.waiting.iter().find(|waiting| waiting.id == waiter);
        waiting
            .is_some_and(|waiter| !matches!(self.slots.get(&waiter.tenant), Some(Slot { phase: Phase::Starting, .. })))
    }

    /// A process has been started.
    pub(super) fn started(&mut self, place: &Place, process: P) -> Vec<Step<P>> {
        let (used, closed) = (self.tick(), self.closed);
        let Some(slot) = self.slot(place) else { return Vec::new() };
        if closed {
            slot.phase = Phase::Ending;
            return vec![Step::End { place: place.clone(), process }];
        }
        slot.phase = Phase::Running { process, users: 0, used };
        let mut steps = self.advance();
        steps.extend(self.idle(place));
        steps
    }

    /// A process could not be started: those who waited for it are told, and the next
    /// one tries anew.
    pub(super) fn failed(&mut self, place: &Place) -> Vec<Step<P>> {
        if self.slot(place).is_none() {
            return Vec::new();
        }
        self.slots.remove(&place.tenant);
        let mut steps = Vec::new();
        self.waiting.retain(|waiter| {
            let other = waiter.tenant != place.tenant;
            if !other {
                steps.push(Step::Refuse { waiter: waiter.id });
            }
            other
        });
        steps.extend(self.advance());
        steps
    }

    /// A user of a process needs it no more.
    pub(super) fn released(&mut self, place: &Place) -> Vec<Step<P>> {
        let now = self.tick();
        if let Some(Slot { phase: Phase::Running { users, used, .. }, .. }) = self.slot(place) {
            *users -= 1;
            *used = now;
        }
        let mut steps = self.advance();
        steps.extend(self.idle(place));
        steps
    }

    fn idle(&mut self, place: &Place) -> Option<Step<P>> {
        match self.slot(place)?.phase {
            Phase::Running { users: 0, used, .. } => Some(Step::Idle { place: place.clone(), used }),
            _ => None,
        }
    }

    /// A process was idle for too long, if it was not used since.
    pub(super) fn expired(&mut self, place: &Place, since: u64) -> Vec<Step<P>> {
        match self.slot(place) {
            Some(Slot { phase: Phase::Running { users: 0, used, .. }, .. }) if *used == since => {
                self.end(place).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// A process ended by itself. Whoever has it learns that from it.
    pub(super) fn died(&mut self, place: &Place) -> Vec<Step<P>> {
        self.end(place).into_iter().collect()
    }

    fn end(&mut self, place: &Place) -> Option<Step<P>> {
        let slot = self.slot(place)?;
        match std::mem::replace(&mut slot.phase, Phase::Ending) {
            Phase::Running { process, .. } => Some(Step::End { place: place.clone(), process }),
            other => {
                slot.phase = other;
                None
            }
        }
    }

    /// A process is gone: its room is free.
    pub(super) fn gone(&mut self, place: &Place) -> Vec<Step<P>> {
        if self.slot(place).is_some() {
            self.slots.remove(&place.tenant);
        }
        self.advance()
    }

    /// Nothing is granted any more, and all processes are ended; those that are being
    /// started when they have been.
    pub(super) fn close(&mut self) -> Vec<Step<P>> {
        self.closed = true;
        let mut steps: Vec<_> = self.waiting.drain(..).map(|waiter| Step::Refuse { waiter: waiter.id }).collect();
        for place in self.places() {
            steps.extend(self.end(&place));
        }
        steps
    }

    fn places(&self) -> Vec<Place> {
        let place = |(tenant, slot): (&String, &Slot<P>)| Place { tenant: tenant.clone(), generation: slot.generation };
        self.slots.iter().map(place).collect()
    }

    /// Grants, starts and ends what can be: the first who waits comes first. One whose
    /// tenant has a process needs no room, so it passes those who wait for it.
    fn advance(&mut self) -> Vec<Step<P>> {
        let mut steps = Vec::new();
        if self.closed {
            return steps;
        }
        let mut without_room = HashSet::new();
        for waiter in std::mem::take(&mut self.waiting) {
            let (now, room) = (self.tick(), self.slots.len() < self.limit);
            match self.slots.get_mut(&waiter.tenant) {
                Some(Slot { generation, phase: Phase::Running { process, users, used } }) => {
                    (*users, *used) = (*users + 1, now);
                    let place = Place { tenant: waiter.tenant, generation: *generation };
                    steps.push(Step::Grant { waiter: waiter.id, place, process: process.clone() });
                    continue;
                }
                Some(Slot { phase: Phase::Starting, .. }) => {}
                None if room => {
                    self.slots.insert(waiter.tenant.clone(), Slot { generation: now, phase: Phase::Starting });
                    steps.push(Step::Start(Place { tenant: waiter.tenant.clone(), generation: now }));
                }
                // The old process must be gone before there is a new one.
                Some(Slot { phase: Phase::Ending, .. }) | None => {
                    without_room.insert(waiter.tenant.clone());
                }
            }
            self.waiting.push_back(waiter);
        }
        let ending = self.slots.values().filter(|slot| matches!(slot.phase, Phase::Ending)).count();
        let free = self.limit - self.slots.len();
        for _ in ending + free..without_room.len() {
            let Some(place) = self.least_recently_used() else { break };
            steps.extend(self.end(&place));
        }
        steps
    }

    fn least_recently_used(&self) -> Option<Place> {
        let idle = self.slots.iter().filter_map(|(tenant, slot)| match slot.phase {
            Phase::Running { users: 0, used, .. } => Some((used, tenant, slot.generation)),
            _ => None,
        });
        let (_, tenant, generation) = idle.min()?;
        Some(Place { tenant: tenant.clone(), generation })
    }
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
