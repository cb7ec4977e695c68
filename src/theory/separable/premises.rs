//! What the theory of separable data takes for granted, and what of it holds in a training.
//!
//! A prediction that fails is a discovery only if its premises hold, so each stands here with the number by which it was judged.

use super::diverging::Diverging;
use super::offset::Remainder;
use super::path::Moment;
use super::rows::angle;
use super::settings::Optimizer;
use crate::theory::Assumption;

impl Diverging<'_> {
    /// All premises; `smoothness` is β.
    pub(super) fn assumptions(&self, smoothness: f64) -> Vec<Assumption> {
        let assumption =
            |statement: &str, holds: Option<bool>, evidence: String| Assumption { statement: statement.into(), holds, evidence };
        let (rows, end) = (&self.data.rows, self.path.end());
        let violation = self.best.violation(rows);
        let limit = 2.0 / smoothness;
        let rate = self.settings.learning_rate;
        let smallest = rows.smallest_margin(&end.weights);
        let tail = -libm::expm1(self.settings.loss.log_pull(smallest) + smallest);
        let total = self.best.total_multiplier();
        let held: Vec<f64> = self.best.on_margin.iter().map(|&row| self.best.multipliers[row]).collect();
        let least = held.iter().copied().fold(f64::INFINITY, f64::min);
        let (ranks, all) = (rows.select(&self.best.on_margin).basis().ncols(), rows.basis().ncols());
        let mut found = vec![
            assumption(
                "The points are separable by a line through the origin",
                Some(violation < 1e-8),
                format!(
                    "Margin {:.6}; the largest violation of the optimality conditions is {violation:.1e}, the duality gap {:.1e}",
                    self.best.margin(),
                    self.best.gap()
                ),
            ),
            assumption(
                "The step size is below 2/β",
                (self.settings.optimizer == Optimizer::Gd).then_some(rate < limit),
                match self.settings.optimizer {
                    Optimizer::Gd => format!("η = {rate}, β = {smoothness:.4}, 2/β = {limit:.4}"),
                    _ => format!("The bound 2/β = {limit:.4} is for gradient descent; η = {rate}"),
                },
            ),
            assumption(
                "The loss has an exponential tail",
                Some(tail.abs() < 0.05),
                format!("At the smallest margin, {smallest:.3}, −ℓ′ differs from e^−u by {:.1e} of it", tail.abs()),
            ),
            assumption(
                "The support vectors span the data",
                Some(ranks == all),
                format!(
                    "They span {ranks} of {all} dimensions{}",
                    if ranks == all { "" } else { "; across them ρ depends on the whole way" }
                ),
            ),
            assumption(
                "The points are generic: each on the margin has a multiplier above 0",
                Some(!matches!(self.remainder, Remainder::LogLog { .. })),
                match &self.remainder {
                    Remainder::LogLog { zero, .. } => {
                        let names: Vec<String> = zero.iter().map(|row| (row + 1).to_string()).collect();
                        format!("Point {} is on the margin with α = 0, so ρ grows like log log t", names.join(", "))
                    }
                    _ => {
                        let chosen = self.offset().and_then(|o| o.multipliers.iter().copied().min_by(f64::total_cmp));
                        format!("The smallest α is {:.4} of Σα = {total:.4}", chosen.unwrap_or(least))
                    }
                },
            ),
            assumption(
                "The optimiser measures its steps by the Euclidean norm",
                Some(self.target.is_euclidean),
                self.geometry(end),
            ),
        ];
        if let Some((pace, forgets)) = self.adams_pace() {
            found.push(assumption(
                "Adam's second moment keeps up with its gradients",
                Some(pace < forgets),
                format!(
                    "Margins would grow by {pace:.2e} a step, and up to {forgets:.2e} it keeps up; beyond, early gradients stay in the \
                     denominators and the direction is not exactly {}",
                    self.target.name
                ),
            ));
        }
        if let Some(part) = self.law.as_ref().and_then(|law| law.anchored) {
            let evidence =
                format!("Theory leaves {part} open; it is read off the last step, so there the curves meet by construction");
            found.push(assumption("Theory gives every constant of the predicted curve", Some(false), evidence));
        }
        let taken = match self.path.leaps_from {
            Some(from) => format!(
                "Steps up to {from} were taken one by one; from there the curve of the modified equation stands for them (to 1e-8 \
                 of plain steps in tests)"
            ),
            None => format!("{} steps were taken one by one, of {} asked for", end.step, self.settings.steps),
        };
        found.push(assumption("All steps asked for were followed", Some(end.step >= self.settings.steps as f64), taken));
        found
    }

    fn geometry(&self, end: &Moment) -> String {
        let to = |direction: &[f64]| angle(&end.weights, direction).to_degrees();
        if self.target.is_euclidean {
            return format!("At the last step w is {:.4}° from ŵ", to(&self.best.direction));
        }
        format!(
            "At the last step w is {:.4}° from ŵ and {:.4}° from {}{}",
            to(&self.best.direction),
            to(&self.target.direction),
            self.target.name,
            if self.target.is_unique { "" } else { ", one of several with that margin" }
        )
    }
}
