//! Gradient flow of the diagonal network f = Σ (u² − v²)·x from u = v = α under weight decay, in as many unknowns as there are rows.
//!
//! Steps of u and v are as small as the large start's curvature asks, for a time as long as 1/λ and log α make it. But each row only
//! pushes along itself, so with c_i the integral of row i's push, exactly
//!
//! ```text
//! u = α·e^{−λt + 2h},  v = α·e^{−λt − 2h},  h = Σ c_i z_i,  w = u² − v² = 2·uv·sinh 4h,  uv = α²·e^{−2λt}
//! ċ_i = σ(−z_i·w)/n
//! ```
//!
//! which is stiff and smooth: an implicit rule takes it in a few hundred steps. Rejected: explicit steps in u and v (they are the
//! test), and a rule that is only A-stable, which rings after the start.

use super::super::separable::rows::{Rows, plus};

/// γ of Alexander's two-stage rule, second order and L-stable.
const GAMMA: f64 = 1.0 - core::f64::consts::FRAC_1_SQRT_2;
/// Relative change at which Newton's method has arrived; the next one would be about its square.
const ENOUGH: f64 = 1e-5;
/// Newton's iterations before a step is made smaller.
const ITERATIONS: usize = 25;
/// Until then, in units of 1/λ, steps may be rough: the flow is drawn to one curve and forgets how it came there (tested).
const FORGOTTEN: f64 = 0.01;
/// Relative error per step until then.
const ROUGH: f64 = 0.1;
/// Steps before the flow gives up; usual are a few hundred.
const MOST_STEPS: usize = 20_000;

/// The flow on some rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flow<'a> {
    /// z_i = y_i·x_i.
    pub rows: &'a Rows,
    /// α.
    pub start: f64,
    /// λ.
    pub decay: f64,
    /// Largest step in units of 1/λ, so that curves stay smooth where nothing happens.
    pub largest_step: f64,
}

/// The network at a time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Moment {
    /// t of the flow.
    pub time: f64,
    /// w = u² − v², `[d]`.
    pub weights: Vec<f64>,
}

impl Flow<'_> {
    /// Follows the flow to `until` with a relative error of about `tolerance` per step; every step taken is a moment. `None` if
    /// the steps run out, which is a mistake of the stepping and not of the settings.
    pub(super) fn run(&self, until: f64, tolerance: f64) -> Option<Vec<Moment>> {
        let mut pushes = vec![0.0; self.rows.len()];
        let mut rates = pushes.clone();
        let mut time = 0.0;
        let mut step = 1e-6 / (self.start * self.start);
        let mut moments = Vec::new();
        for _ in 0..MOST_STEPS {
            if time >= until {
                return Some(moments);
            }
            step = step.min(self.largest_step / self.decay).min((until - time).max(1e-12 * until));
            let Some((next, slopes, error)) = self.step(&pushes, &rates, time, step) else {
                step *= 0.25;
                continue;
            };
            let allowed = if self.decay * time < FORGOTTEN { ROUGH } else { tolerance };
            let excess = error / (allowed * largest(&next));
            if excess <= 1.0 {
                time += step;
                (pushes, rates) = (next, slopes);
                moments.push(Moment { time, weights: self.weights(&pushes, time).0 });
            }
            step *= (0.9 / libm::sqrt(excess + 1e-9)).clamp(0.2, 4.0);
        }
        None
    }

    /// One step from `pushes`: where it ends, the rates there, and the error. `None` if Newton's method finds no end.
    fn step(&self, pushes: &[f64], rates: &[f64], time: f64, step: f64) -> Option<(Vec<f64>, Vec<f64>, f64)> {
        let part = GAMMA * step;
        let slopes =
            |from: &[f64], to: &[f64]| -> Vec<f64> { from.iter().zip(to).map(|(from, to)| (to - from) / part).collect() };
        let first = slopes(pushes, &self.solve(pushes, time + part, part, plus(pushes, part, rates))?);
        let begun = plus(pushes, step - part, &first);
        let next = self.solve(&begun, time + step, part, plus(&begun, part, &first))?;
        let second = slopes(&begun, &next);
        // Against the implicit rule of first order with the same two slopes.
        let error = (0.5 - GAMMA) * step * largest(&plus(&second, -1.0, &first));
        Some((next, second, error))
    }

    /// The c with c = `from` + `part`·σ(−Zw(c))/n at `time`, sought from `pushes` on.
    fn solve(&self, from: &[f64], time: f64, part: f64, mut pushes: Vec<f64>) -> Option<Vec<f64>> {
        let (n, d) = (self.rows.len(), self.rows.dimension());
        let scale = part / n as f64;
        let mut bent = vec![0.0; d];
        for _ in 0..ITERATIONS {
            let (weights, slopes) = self.weights(&pushes, time);
            let shares: Vec<f64> = self.rows.margins(&weights).into_iter().map(falling).collect();
            let change: Vec<f64> = shares.iter().map(|share| 4.0 * scale * share * (1.0 - share)).collect();
            // I + diag(change)·Z·diag(slopes)·Zᵀ, and the residual as its last column.
            let mut table = vec![0.0; n * (n + 1)];
            for i in 0..n {
                bent.iter_mut().zip(self.rows.row(i)).zip(&slopes).for_each(|((to, z), s)| *to = z * s);
                for j in i..n {
                    let coupling = product(&bent, self.rows.row(j));
                    table[i * (n + 1) + j] = change[i] * coupling;
                    table[j * (n + 1) + i] = change[j] * coupling;
                }
                table[i * (n + 1) + i] += 1.0;
                table[i * (n + 1) + n] = from[i] + scale * shares[i] - pushes[i];
            }
            let moves = eliminate(table, n);
            pushes = plus(&pushes, 1.0, &moves);
            let (moved, size) = (largest(&moves), largest(&pushes));
            if !moved.is_finite() || !size.is_finite() {
                return None;
            }
            if moved <= ENOUGH * size {
                return Some(pushes);
            }
        }
        None
    }

    /// w and its derivatives by 4h.
    fn weights(&self, pushes: &[f64], time: f64) -> (Vec<f64>, Vec<f64>) {
        let log = 2.0 * (libm::log(self.start) - self.decay * time);
        let product = libm::exp(log);
        let both = |h: f64| {
            let x = 4.0 * h;
            // Early e^{4h} and e^{−4h} agree in nearly all digits; late the product alone leaves the range of numbers.
            if x.abs() < 1.0 {
                (2.0 * product * libm::sinh(x), 2.0 * product * libm::cosh(x))
            } else {
                let (up, down) = (libm::exp(log + x), libm::exp(log - x));
                (up - down, up + down)
            }
        };
        self.rows.combine(pushes).into_iter().map(both).unzip()
    }
}

/// a·b in four sums, which the processor adds at once.
fn product(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (left, right) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = left.remainder().iter().zip(right.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in left.zip(right) {
        for k in 0..4 {
            sums[k] += x[k] * y[k];
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// Solves `table` `[n, n + 1]`, its last column the right side. No pivots are sought: I + D·K with D ≥ 0 and K positive
/// semidefinite has positive principal minors, and Newton's next iteration takes up what rounding leaves.
fn eliminate(mut table: Vec<f64>, n: usize) -> Vec<f64> {
    for at in 0..n {
        let (above, below) = table.split_at_mut((at + 1) * (n + 1));
        let row = &above[at * (n + 1)..];
        for other in below.chunks_exact_mut(n + 1) {
            let share = other[at] / row[at];
            other[at..].iter_mut().zip(&row[at..]).for_each(|(x, y)| *x -= share * y);
        }
    }
    let mut found = vec![0.0; n];
    for at in (0..n).rev() {
        let row = &table[at * (n + 1)..][..n + 1];
        let known: f64 = row[at + 1..n].iter().zip(&found[at + 1..]).map(|(x, y)| x * y).sum();
        found[at] = (row[n] - known) / row[at];
    }
    found
}

/// The largest absolute value; NaN if one is.
fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, value| if most >= value.abs() { most } else { value.abs() })
}

/// σ(−m), without overflow.
fn falling(m: f64) -> f64 {
    let small = libm::exp(-m.abs());
    if m >= 0.0 { small / (1.0 + small) } else { 1.0 / (1.0 + small) }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::experiment::randomness::{Purpose, Stream};

    /// u and v by plain steps of η; w at each of `steps`.
    pub(in super::super) fn plain(rows: &Rows, start: f64, decay: f64, eta: f64, steps: &[u64]) -> Vec<Vec<f64>> {
        let d = rows.dimension();
        let (mut u, mut v) = (vec![start; d], vec![start; d]);
        let mut kept = Vec::new();
        for step in 0..=steps.iter().copied().max().unwrap_or(0) {
            let w: Vec<f64> = u.iter().zip(&v).map(|(u, v)| u * u - v * v).collect();
            if steps.contains(&step) {
                kept.push(w.clone());
            }
            let pull: Vec<f64> = rows.margins(&w).into_iter().map(|m| falling(m) / rows.len() as f64).collect();
            let towards = rows.combine(&pull);
            for j in 0..d {
                u[j] += eta * (2.0 * u[j] * towards[j] - decay * u[j]);
                v[j] -= eta * (2.0 * v[j] * towards[j] + decay * v[j]);
            }
        }
        kept
    }

    fn rows(n: usize, d: usize) -> Rows {
        let mut stream = Stream::new(3, Purpose::Theory, 0);
        Rows::new(d, (0..n * d).map(|_| stream.normal()).collect())
    }

    fn at(moments: &[Moment], time: f64) -> Vec<f64> {
        let after = moments.iter().position(|moment| moment.time >= time).unwrap();
        let (right, left) = (&moments[after], &moments[after.max(1) - 1]);
        let share = if right.time > left.time { (time - left.time) / (right.time - left.time) } else { 1.0 };
        left.weights.iter().zip(&right.weights).map(|(a, b)| a + share * (b - a)).collect()
    }

    #[test]
    fn plain_steps_of_u_and_v_follow_the_flow_through_the_switch() {
        let rows = rows(6, 12);
        let (start, decay, eta) = (3.0, 0.02, 2e-3);
        let moments = Flow { rows: &rows, start, decay, largest_step: 0.05 }.run(110.0, 1e-4).unwrap();
        let steps = [5_000, 20_000, 30_000, 40_000, 50_000];
        for (step, plain) in steps.iter().zip(plain(&rows, start, decay, eta, &steps)) {
            let found = at(&moments, *step as f64 * eta);
            let scale = plain.iter().fold(0.0, |most: f64, w| most.max(w.abs()));
            let most = found.iter().zip(&plain).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(most < 5e-3 * scale, "step {step}: {most} of {scale}");
        }
    }

    #[test]
    fn a_tighter_tolerance_changes_little() {
        let rows = rows(6, 12);
        let flow = Flow { rows: &rows, start: 100.0, decay: 1e-3, largest_step: 0.1 };
        let end = |tolerance| flow.run(7000.0, tolerance).unwrap();
        let (rough, fine) = (end(1e-3), end(1e-5));
        assert!(rough.len() < fine.len() && rough.len() < 500, "{} {}", rough.len(), fine.len());
        for time in [2000.0, 5000.0, 6990.0] {
            let (a, b) = (at(&rough, time), at(&fine, time));
            let scale = b.iter().fold(0.0, |most: f64, w| most.max(w.abs()));
            assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 0.01 * scale), "{time}");
        }
    }
}
