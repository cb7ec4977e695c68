//! How much work to do before looking up: enough that the conversation costs little, little enough that Pause feels instant.

/// Target length of a tick, milliseconds.
const TARGET_MS: f64 = 50.0;

/// An adaptive number of updates per tick.
#[derive(Debug, Clone)]
pub struct Tick {
    steps: u32,
    most: u32,
}

impl Tick {
    /// Starts with one update and never exceeds `most` (on a GPU the queue must not grow without bound between reads).
    pub fn new(most: u32) -> Self {
        Self { steps: 1, most }
    }

    /// Updates to make in the next tick.
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// Learns from a tick of `steps` updates that took `ms`; grows at most twofold, so that one fast tick cannot cause a stall.
    pub fn took(&mut self, steps: u32, ms: f64) {
        if steps == 0 {
            return;
        }
        let per_step = (ms / f64::from(steps)).max(1e-3);
        let fitting = (TARGET_MS / per_step).floor().max(1.0);
        self.steps = fitting.min(f64::from(self.steps) * 2.0).min(f64::from(self.most)) as u32;
        self.steps = self.steps.max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_settles_at_about_fifty_milliseconds() {
        let mut tick = Tick::new(1000);
        for _ in 0..20 {
            let steps = tick.steps();
            tick.took(steps, f64::from(steps) * 2.0);
        }
        assert_eq!(tick.steps(), 25);
    }

    #[test]
    fn a_slow_step_still_gets_its_tick() {
        let mut tick = Tick::new(1000);
        tick.took(1, 4000.0);
        assert_eq!(tick.steps(), 1);
    }
}
