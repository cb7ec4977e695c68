//! Lazy, then rich: a committee that first fits its rows with the features of its start, and only later learns those that answer
//! (Kumar et al., "Grokking as the transition from lazy to rich training dynamics").
//!
//! It is the one account of grokking with a knob for it (α) and an exact counterfactual: the linearised twin is the same network
//! without feature learning. On this committee both are closed: the twin by one eigendecomposition, the network by an equation for
//! two moments of its weights, the test loss and the kernel's alignment by means over all inputs. So nothing is sampled but the
//! rows and the start.

mod figures;
mod kernel;
mod plane;
mod report;
mod run;
mod settings;
mod spectrum;
mod system;
#[cfg(test)]
mod tests;
mod trial;
mod twin;

pub use settings::LazyRich;

use super::{About, Begun, OfRun, Outcome, Theory};
use crate::record::UserError;

impl Theory for LazyRich {
    const ABOUT: About = About {
        name: "lazy-rich",
        title: "From lazy to rich training",
        question: "Is grokking the moment at which a network stops being a fixed kernel and learns features?",
        paragraph: "A network with large outputs can fit its rows with weights that hardly move. It is then a linear model with the \
                    features of its start, and it knows only what these suggest: here mostly linear functions, while the answer is the \
                    square of one direction. With many more rows than inputs but fewer than pairs of inputs, that linear model can \
                    memorise the answer and not find it. The small movements go on, though, as long as the training loss is not 0; \
                    they turn the weights towards the one direction, the kernel with them, and fresh rows are suddenly answered too. \
                    The panel trains such networks beside their linearised twins, which cannot turn, and lays the closed forms over \
                    both: when the training rows are learned, where the twin ends, how far the kernel moves.",
        equation: EQUATION,
        breaks: "Lazy first and rich later is a matter of degree: features move from the first step on, and at α of a few units training \
                 rows are learned in a third of the twin's time. The theory has no date for the end of laziness, so the delay itself has no \
                 prediction. Once the training loss is 0 nothing moves any more, so a very lazy network does not grok later but never. A \
                 smaller ε delays training and fresh rows alike, about as 1/ε², and their ratio falls. Averages over rows hide that single \
                 networks near D² differ.",
        survey: Some("Fills two maps, α over training rows and α over ε, three networks for each cell: some ten seconds"),
        references: &[
            "Kumar, Bordelon, Gershman and Pehlevan 2023, Grokking as the transition from lazy to rich training dynamics, arXiv 2310.06110",
            "Chizat, Oyallon and Bach 2019, On lazy training in differentiable programming, arXiv 1812.07956: α and the linearised twin",
            "Canatar, Bordelon and Pehlevan 2021, Spectral bias and task-model alignment explain generalization in kernel regression and \
             infinitely wide neural networks, arXiv 2006.13198: where the twin ends",
            "Simon, Dickens, Karkada and DeWeese 2023, The eigenlearning framework, arXiv 2110.03922: the same curve as a conservation law",
        ],
    };

    const OF_RUN: Option<OfRun> = Some(run::of_run);

    const SYSTEM_FIELDS: &'static [&'static str] = &["seeds", "steps"];

    const SURVEY_FIELDS: &'static [&'static str] = &["map_cells", "map_seeds", "map_steps"];

    fn outcome(&self) -> Result<Outcome, UserError> {
        report::outcome(self)
    }

    fn survey(&self) -> Begun {
        Ok(Some(Box::new(plane::Maps::new(self)?)))
    }
}

/// f = (α/N) Σ φ(w_i·x) − f₀, φ(h) = h + εh²/2, y = ½(β·x)²; K = (1 + ε w̄·(x + x') + ε² xᵀMx') x·x' → x·x' + ε²(x·x')²;
/// λ = 1/D, ε²(D + 2)/D², 2ε²/D²; e_t = (1 − 2ηK/P)^t e₀; M ← AMA − …, M = I + ββᵀ/(αε).
const EQUATION: &str = r#"<math display="block"><mtable columnalign="left">
<mtr><mtd><mi>f</mi><mo>=</mo><mfrac><mi>α</mi><mi>N</mi></mfrac><munder><mo>∑</mo><mi>i</mi></munder><mi>φ</mi><mo>(</mo><msub><mi>w</mi><mi>i</mi></msub><mo>·</mo><mi>x</mi><mo>)</mo><mo>−</mo><msub><mi>f</mi><mn>0</mn></msub><mo>,</mo><mspace width="1em"/><mi>φ</mi><mo>(</mo><mi>h</mi><mo>)</mo><mo>=</mo><mi>h</mi><mo>+</mo><mfrac><mi>ε</mi><mn>2</mn></mfrac><msup><mi>h</mi><mn>2</mn></msup><mo>,</mo><mspace width="1em"/><mi>y</mi><mo>=</mo><mfrac><mn>1</mn><mn>2</mn></mfrac><msup><mrow><mo>(</mo><mi>β</mi><mo>·</mo><mi>x</mi><mo>)</mo></mrow><mn>2</mn></msup><mo>,</mo><mspace width="1em"/><mi>x</mi><mo>∼</mo><mi>𝒩</mi><mo>(</mo><mn>0</mn><mo>,</mo><mi>I</mi><mo>/</mo><mi>D</mi><mo>)</mo></mtd></mtr>
<mtr><mtd><mi>K</mi><mo>=</mo><mo>(</mo><mn>1</mn><mo>+</mo><mi>ε</mi><mover><mi>w</mi><mo>¯</mo></mover><mo>·</mo><mo>(</mo><mi>x</mi><mo>+</mo><msup><mi>x</mi><mo>′</mo></msup><mo>)</mo><mo>+</mo><msup><mi>ε</mi><mn>2</mn></msup><msup><mi>x</mi><mi>T</mi></msup><mi>M</mi><msup><mi>x</mi><mo>′</mo></msup><mo>)</mo><mi>x</mi><mo>·</mo><msup><mi>x</mi><mo>′</mo></msup><mo>,</mo><mspace width="1em"/><mi>M</mi><mo>=</mo><mfrac><mn>1</mn><mi>N</mi></mfrac><munder><mo>∑</mo><mi>i</mi></munder><msub><mi>w</mi><mi>i</mi></msub><msubsup><mi>w</mi><mi>i</mi><mi>T</mi></msubsup></mtd></mtr>
<mtr><mtd><mtext>lazy:</mtext><mspace width="0.5em"/><msub><mi>λ</mi><mtext>lin</mtext></msub><mo>=</mo><mfrac><mn>1</mn><mi>D</mi></mfrac><mo>,</mo><mspace width="0.5em"/><msub><mi>λ</mi><mrow><msup><mrow><mo>|</mo><mi>x</mi><mo>|</mo></mrow><mn>2</mn></msup></mrow></msub><mo>=</mo><mfrac><mrow><msup><mi>ε</mi><mn>2</mn></msup><mo>(</mo><mi>D</mi><mo>+</mo><mn>2</mn><mo>)</mo></mrow><msup><mi>D</mi><mn>2</mn></msup></mfrac><mo>,</mo><mspace width="0.5em"/><msub><mi>λ</mi><mtext>quad</mtext></msub><mo>=</mo><mfrac><mrow><mn>2</mn><msup><mi>ε</mi><mn>2</mn></msup></mrow><msup><mi>D</mi><mn>2</mn></msup></mfrac><mo>,</mo><mspace width="1em"/><msub><mi>e</mi><mi>t</mi></msub><mo>=</mo><msup><mrow><mo>(</mo><mn>1</mn><mo>−</mo><mfrac><mrow><mn>2</mn><mi>η</mi></mrow><mi>P</mi></mfrac><msub><mi>K</mi><mn>0</mn></msub><mo>)</mo></mrow><mi>t</mi></msup><msub><mi>e</mi><mn>0</mn></msub></mtd></mtr>
<mtr><mtd><mtext>rich:</mtext><mspace width="0.5em"/><mi>M</mi><mo>→</mo><mi>I</mi><mo>+</mo><mfrac><mrow><mi>β</mi><msup><mi>β</mi><mi>T</mi></msup></mrow><mrow><mi>α</mi><mi>ε</mi></mrow></mfrac><mo>,</mo><mspace width="1em"/><mtext>grokking for</mtext><mspace width="0.5em"/><mi>D</mi><mo>≪</mo><mi>P</mi><mo>≪</mo><msup><mi>D</mi><mn>2</mn></msup><mspace width="0.5em"/><mtext>and large</mtext><mspace width="0.5em"/><mi>α</mi></mtd></mtr>
</mtable></math>"#;
