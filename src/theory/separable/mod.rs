//! Why does training go on to matter after the last error is gone? Implicit bias of descent on separable data.
//!
//! A logistic loss has no minimum on separable points, so w grows for ever, and of all the directions that separate them descent
//! finds one. That is the simplest system in which "training accuracy is 1" says nothing of what is still being learned, and one of few
//! with a closed form for every curve. Everything holds for any dimension but the data sets, the figures and the norms with
//! corners, which are planar so that points can be seen and dragged.

mod converging;
mod curves;
mod data;
mod descent;
mod diverging;
mod homogeneous;
mod law;
mod loss;
pub(super) mod margin;
mod minimiser;
mod nonnegative;
mod norms;
mod offset;
mod path;
mod plane;
mod premises;
pub(super) mod rows;
mod run;
mod settings;
mod slow;
#[cfg(test)]
mod tests;

pub use settings::Separable;

use super::{About, Handle, OfRun, Outcome, Theory, Touch};
use crate::record::UserError;
use data::Data;
use margin::{Separation, separate};

impl Theory for Separable {
    const ABOUT: About = About {
        name: "separable",
        title: "Implicit bias on separable data",
        question: "Where do the weights go once every training point is on the right side?",
        paragraph: "If a line separates the training points, no weights are best: twice as long is always a little better, so gradient \
                    descent never arrives. The loss falls like 1/t, the length of w grows like log t, and its direction turns, ever more \
                    slowly, towards the line with the largest margin, although nobody asked for that. The panel solves for that line (a \
                    support vector machine, with a proof that it is right), for the constant w̃ that is left when ŵ log t is taken \
                    away, and lays both over the training itself: ten million steps, each of them or the exact curve through them. Points \
                    of the validation sample on the wrong side cost ever more when their number has long settled, so a rising validation \
                    loss alone is no sign of harm. Other optimisers measure their steps by other norms and are drawn to other margins.",
        equation: EQUATION,
        breaks: "The constant w̃ exists if every point on the margin pushes and the support vectors span the data; a point on the margin \
                 without a multiplier makes ρ grow like log log t. Convergence of the direction is 1/log t, so at any time that one can \
                 wait for, the correction w̃ is as visible as the limit. If no line separates the points, there is a finite minimiser and \
                 none of this holds; and a network is not a linear classifier: there the same statement needs homogeneity and a small loss \
                 first.",
        survey: None,
        references: &[
            "Soudry, Hoffer, Nacson, Gunasekar and Srebro 2018, The implicit bias of gradient descent on separable data, arXiv 1710.10345",
        ],
    };

    const OF_RUN: Option<OfRun> = Some(run::of_run);

    const RUN_MEASURES: &'static [&'static str] = &["margin", "update"];

    const MOVABLE: Option<&'static str> = Some("plane");

    fn handles(&self) -> Result<Vec<Handle>, UserError> {
        Data::handles(self)
    }

    fn touched(&self, at: usize, touch: Touch) -> Result<Self, UserError> {
        data::touched(self, at, touch)
    }

    fn outcome(&self) -> Result<Outcome, UserError> {
        let data = Data::of(self)?;
        let smoothness = self.loss.smoothness(&data.rows, &self.start);
        self.check_rate(smoothness)?;
        match separate(&data.rows) {
            Separation::Separable(best) => diverging::outcome(self, &data, &best, smoothness),
            Separation::Inseparable { residual, .. } => converging::outcome(self, &data, residual, smoothness),
        }
    }
}

/// w(t) = ŵ log t + ρ(t), ŵ = argmin ‖w‖² with y_n x_n·w ≥ 1, ŵ = Σ α_n y_n x_n; ρ → w̃ with η e^{−y_n x_n·w̃} = α_n.
const EQUATION: &str = r#"<math display="block"><mtable columnalign="left">
<mtr><mtd><mi>w</mi><mo>(</mo><mi>t</mi><mo>)</mo><mo>=</mo><mover><mi>w</mi><mo>^</mo></mover><mspace width="0.2em"/><mi>log</mi><mo>&#x2061;</mo><mi>t</mi><mo>+</mo><mi>ρ</mi><mo>(</mo><mi>t</mi><mo>)</mo><mo>,</mo><mspace width="1em"/><mover><mi>w</mi><mo>^</mo></mover><mo>=</mo><munder><mrow><mi>arg</mi><mspace width="0.1em"/><mi>min</mi></mrow><mi>w</mi></munder><msup><mrow><mo>‖</mo><mi>w</mi><mo>‖</mo></mrow><mn>2</mn></msup><mspace width="0.6em"/><mtext>with</mtext><mspace width="0.6em"/><msub><mi>y</mi><mi>n</mi></msub><msub><mi>x</mi><mi>n</mi></msub><mo>·</mo><mi>w</mi><mo>≥</mo><mn>1</mn></mtd></mtr>
<mtr><mtd><mover><mi>w</mi><mo>^</mo></mover><mo>=</mo><munder><mo>∑</mo><mi>n</mi></munder><msub><mi>α</mi><mi>n</mi></msub><msub><mi>y</mi><mi>n</mi></msub><msub><mi>x</mi><mi>n</mi></msub><mo>,</mo><mspace width="1em"/><mi>ρ</mi><mo>(</mo><mi>t</mi><mo>)</mo><mo>→</mo><mover><mi>w</mi><mo>~</mo></mover><mo>,</mo><mspace width="1em"/><mi>η</mi><msup><mi>e</mi><mrow><mo>−</mo><msub><mi>y</mi><mi>n</mi></msub><msub><mi>x</mi><mi>n</mi></msub><mo>·</mo><mover><mi>w</mi><mo>~</mo></mover></mrow></msup><mo>=</mo><msub><mi>α</mi><mi>n</mi></msub></mtd></mtr>
</mtable></math>"#;
