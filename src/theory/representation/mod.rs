//! Why do embeddings form a line, when, and from how many sums? The effective theory of representation learning (Liu et al.).
//!
//! The one theory of grokking whose data dependence is linear algebra: which sums are known decides, before any training, whether
//! structure is forced and how fast it comes. This room computes that exactly and holds it against a network of its own, so that
//! what the theory leaves out (a decoder, AdamW) shows as a difference and not as an opinion.

mod closure;
mod critical;
pub(super) mod decoder;
mod descent;
mod effective_loss;
mod figures;
mod findings;
mod guided;
mod network;
mod pairs;
mod phase_plane;
mod prediction;
mod quality;
mod run;
mod settings;
mod structure;
#[cfg(test)]
mod tests;
mod training;

pub(super) use critical::Critical;
pub use settings::Representation;
pub(super) use training::{AdamW, Schedule};

use super::{About, Begun, OfRun, Outcome, Theory};
use crate::record::UserError;
use findings::Findings;
pub(super) use phase_plane::PHASES;
use phase_plane::PhasePlanes;

impl Theory for Representation {
    const ABOUT: About = About {
        name: "representation",
        title: "Effective theory of representation learning",
        question: "From how many known sums does a line of numbers follow, and when does it appear?",
        paragraph: "A network that adds the embeddings of two numbers and decodes the result knows a sum it has never seen if the two \
                    embeddings add up to the same point as those of a pair it has seen. Each two known pairs with the same sum ask for such a \
                    parallelogram. The theory forgets the decoder and lets the embeddings slide down the mean misfit of these \
                    parallelograms, divided by their size so that they cannot all become zero. That slide is solved by the \
                    eigenvectors of one matrix, H: two of its eigenvalues are always 0, because numbers in a line at equal distances fit \
                    everything. If no other is 0, the line is all that can remain, and the third eigenvalue says how long the rest \
                    takes to die out. The panel counts how many sums that takes, says which unseen sums follow, and trains a small network \
                    beside the theory.",
        equation: EQUATION,
        breaks: "H knows the order in which structure forms, not how many updates it takes: the effective rate is fitted. The decoder is \
                 forgotten, so memorising, the delay and weight decay are outside the theory; where the decoder learns faster than the \
                 embedding, the embedding stays where it is and all of this fails. The addition is without a modulus: on a circle, \
                 parallelograms leave only embeddings that are all equal. If fewer than 90% of the unseen sums follow, no \
                 cell of a phase plane can be expected to grok. With an embedding of one column, sums that do not follow may \
                 still be right by chance.",
        survey: Some("Fill the phase planes: one training per cell"),
        references: &[
            "Liu, Kitouni, Nolte, Michaud, Tegmark and Williams 2022, Towards understanding grokking: an effective theory of \
             representation learning, arXiv 2205.10343",
        ],
    };

    const OF_RUN: Option<OfRun> = Some(run::of_run);

    const RUN_MEASURES: &'static [&'static str] = &["rqi"];

    const SYSTEM_FIELDS: &'static [&'static str] = &["steps", "evaluate_every", "orders", "data_sets"];

    const SURVEY_FIELDS: &'static [&'static str] = &["phase_cells", "phase_steps"];

    fn outcome(&self) -> Result<Outcome, UserError> {
        let findings = Findings::of(self)?;
        Ok(Outcome {
            headline: findings.headline(self),
            figures: findings.figures(self),
            numbers: findings.numbers(self),
            assumptions: findings.assumptions(self),
        })
    }

    fn survey(&self) -> Begun {
        Ok(Some(Box::new(PhasePlanes::new(self)?)))
    }
}

/// ℓ_eff = ℓ₀/Z₀, ℓ₀ = (1/|P₀|) Σ |E_i + E_j − E_m − E_n|², Z₀ = Σ|E_k|²; Ė = −H E + (2ℓ₀/Z₀²) E, H = (2/(Z₀|P₀|)) AᵀA;
/// 0 = λ₁ = λ₂ < λ₃; n_h = 1/(λ₃ η).
const EQUATION: &str = r#"<math display="block"><mtable columnalign="left">
<mtr><mtd><msub><mi>ℓ</mi><mi>eff</mi></msub><mo>=</mo><mfrac><msub><mi>ℓ</mi><mn>0</mn></msub><msub><mi>Z</mi><mn>0</mn></msub></mfrac><mo>,</mo><mspace width="1em"/><msub><mi>ℓ</mi><mn>0</mn></msub><mo>=</mo><mfrac><mn>1</mn><mrow><mo>|</mo><msub><mi>P</mi><mn>0</mn></msub><mo>|</mo></mrow></mfrac><munder><mo>∑</mo><mrow><mi>i</mi><mo>+</mo><mi>j</mi><mo>=</mo><mi>m</mi><mo>+</mo><mi>n</mi></mrow></munder><msup><mrow><mo>|</mo><msub><mi>E</mi><mi>i</mi></msub><mo>+</mo><msub><mi>E</mi><mi>j</mi></msub><mo>−</mo><msub><mi>E</mi><mi>m</mi></msub><mo>−</mo><msub><mi>E</mi><mi>n</mi></msub><mo>|</mo></mrow><mn>2</mn></msup><mo>,</mo><mspace width="1em"/><msub><mi>Z</mi><mn>0</mn></msub><mo>=</mo><munder><mo>∑</mo><mi>k</mi></munder><msup><mrow><mo>|</mo><msub><mi>E</mi><mi>k</mi></msub><mo>|</mo></mrow><mn>2</mn></msup></mtd></mtr>
<mtr><mtd><mfrac><mrow><mi>d</mi><mi>E</mi></mrow><mrow><mi>d</mi><mi>t</mi></mrow></mfrac><mo>=</mo><mo>−</mo><mi>η</mi><mi>H</mi><mi>E</mi><mo>+</mo><mi>η</mi><mfrac><mrow><mn>2</mn><msub><mi>ℓ</mi><mn>0</mn></msub></mrow><msubsup><mi>Z</mi><mn>0</mn><mn>2</mn></msubsup></mfrac><mi>E</mi><mo>,</mo><mspace width="1em"/><mi>H</mi><mo>=</mo><mfrac><mn>2</mn><mrow><msub><mi>Z</mi><mn>0</mn></msub><mo>|</mo><msub><mi>P</mi><mn>0</mn></msub><mo>|</mo></mrow></mfrac><msup><mi>A</mi><mi>T</mi></msup><mi>A</mi></mtd></mtr>
<mtr><mtd><mn>0</mn><mo>=</mo><msub><mi>λ</mi><mn>1</mn></msub><mo>=</mo><msub><mi>λ</mi><mn>2</mn></msub><mo>&lt;</mo><msub><mi>λ</mi><mn>3</mn></msub><mo>≤</mo><mo>…</mo><mo>,</mo><mspace width="1em"/><msub><mi>n</mi><mi>h</mi></msub><mo>=</mo><mfrac><mn>1</mn><mrow><msub><mi>λ</mi><mn>3</mn></msub><mi>η</mi></mrow></mfrac></mtd></mtr>
</mtable></math>"#;
