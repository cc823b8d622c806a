//! Measuring on a machine that is busy with other things.
//!
//! The contenders take turns within one process, round after round, so a busy
//! stretch hits all of them. What counts is the time that the thread has a core; the
//! fastest round is what the code costs, and the median beside it tells how noisy the
//! run was, for a neighbour still takes caches and clock.

use std::hint::black_box;
use std::time::Duration;

use codex_rpc_bench::clock::Stopwatch;

use crate::allocations::counted;
use crate::contender::Contender;
use crate::corpus::Line;

/// Something to run: one pass over a set of lines.
pub struct Pass<'a> {
    pub name: &'static str,
    pub run: Box<dyn Fn() + 'a>,
}

/// What one contender took.
pub struct Taken {
    pub name: &'static str,
    /// Nanoseconds a message in the fastest round.
    pub least: f64,
    /// Nanoseconds a message in the median round.
    pub median: f64,
    /// Allocations a message.
    pub allocations: f64,
    /// Bytes allocated a message.
    pub bytes: f64,
}

pub fn decoding<'a, C: Contender>(lines: &'a [&'a Line]) -> Pass<'a> {
    let run = move || {
        for line in lines {
            let message = C::decode(line);
            black_box(&message);
        }
    };
    Pass { name: C::NAME, run: Box::new(run) }
}

pub fn encoding<'a, C: Contender>(lines: &[&Line]) -> Pass<'a> {
    let messages: Vec<C::Message> = lines.iter().filter_map(|line| C::decode(line)).collect();
    let run = move || {
        for message in &messages {
            black_box(C::encode(message));
        }
    };
    Pass { name: C::NAME, run: Box::new(run) }
}

/// Lets the passes take turns.
pub fn compare(passes: &[Pass<'_>], messages: usize, rounds: usize, turn: Duration) -> Vec<Taken> {
    let repeats: Vec<usize> = passes
        .iter()
        .map(|pass| {
            (pass.run)();
            let start = Stopwatch::start();
            (pass.run)();
            let once = start.elapsed().max(Duration::from_nanos(1));
            usize::try_from(turn.as_nanos() / once.as_nanos()).unwrap_or(1).max(1)
        })
        .collect();
    let mut times = vec![Vec::with_capacity(rounds); passes.len()];
    for _ in 0..rounds {
        for ((pass, repeats), times) in passes.iter().zip(&repeats).zip(&mut times) {
            let start = Stopwatch::start();
            for _ in 0..*repeats {
                (pass.run)();
            }
            times.push(start.elapsed().as_secs_f64() * 1e9 / (*repeats * messages) as f64);
        }
    }
    passes
        .iter()
        .zip(times)
        .map(|(pass, mut times)| {
            times.sort_by(f64::total_cmp);
            let (allocations, bytes) = counted(|| (pass.run)());
            Taken {
                name: pass.name,
                least: times[0],
                median: times[times.len() / 2],
                allocations: allocations as f64 / messages as f64,
                bytes: bytes as f64 / messages as f64,
            }
        })
        .collect()
}
