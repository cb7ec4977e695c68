//! The theory of representation learning where the order of factors counts: a group in place of a sum.
//!
//! Liu et al. ran their toy on S3 too, with the matrix product built in, and report the share of products it needs; their effective theory
//! is of sums and says nothing of it. The theory here is ours: departures from a true representation, with the known products as
//! linear equations. It is held against a toy of its own, and the published share is laid beside both.

mod descent;
mod figures;
mod findings;
mod fraction;
mod half;
mod known;
mod network;
mod settings;
mod standing;
mod survey;
mod systems;
#[cfg(test)]
mod tests;
mod training;

pub use settings::GroupRepresentation;

use super::{About, Begun, Outcome, Theory};
use crate::record::UserError;
use findings::Findings;
use survey::Trainings;

impl Theory for GroupRepresentation {
    const ABOUT: About = About {
        name: "group-representation",
        title: "Representations of a group",
        question: "From how many known products does a representation of a group follow?",
        paragraph: "Give each element of a group a matrix, multiply the matrices of two elements and let a decoder name the result. It knows \
                    a product it has never seen if the two matrices multiply to the same as those of a known pair. Each two known pairs of \
                    one product ask for that. Near matrices that truly multiply as the group does, these are linear equations, \
                    and exact ranks say what they leave: with all products known d² directions always remain (another basis, and factors \
                    that commute with the group), so if no more than d² remain, nothing near the group's matrices but themselves fits, \
                    and every product follows. The panel counts how many products that takes, says which unseen ones follow, and \
                    trains the published toy beside it.",
        equation: EQUATION,
        breaks: "Linear equations near the truth say nothing of solutions far from it: matrices that are all equal, that multiply to 0, or \
                 that tell only even from odd fit as well, and so do representations of the larger group that the known products alone \
                 define. Where training starts it is near none of them. The decoder is forgotten too: it can learn products by heart that \
                 never come to one matrix, the more so the less the embedding decays, and needs more products then. So the share that follows is what a network could \
                 know, and no forecast of what it learns.",
        survey: Some("Train the toy on many data sets of each size"),
        references: &[
            "Liu, Kitouni, Nolte, Michaud, Tegmark and Williams 2022, Towards understanding grokking: an effective theory of \
             representation learning, arXiv 2205.10343 (the toy on S3; the equations here are not from it)",
        ],
    };

    const SYSTEM_FIELDS: &'static [&'static str] = &["pairs", "evaluate_every"];

    const SURVEY_FIELDS: &'static [&'static str] = &["sizes", "data_sets", "descent_steps"];

    fn outcome(&self) -> Result<Outcome, UserError> {
        let findings = Findings::of(self)?;
        Ok(Outcome {
            headline: findings.headline(self),
            figures: findings.figures(self),
            numbers: findings.numbers(self),
            assumptions: findings.assumptions(),
        })
    }

    fn survey(&self) -> Begun {
        Ok(Some(Box::new(Trainings::new(self)?)))
    }
}

/// E_iE_j = E_mE_n for known pairs with ij = mn; E_a = (1 + δ_a)ρ_a ⇒ δ_i + ρ_iδ_jρ_i⁻¹ = δ_m + ρ_mδ_nρ_m⁻¹; n₀(D) = d²|G| − rank J_D ≥
/// n₀(all) = d²; forced ⇔ n₀(D) = d².
const EQUATION: &str = r#"<math display="block"><mtable columnalign="left">
<mtr><mtd><msub><mi>E</mi><mi>i</mi></msub><msub><mi>E</mi><mi>j</mi></msub><mo>=</mo><msub><mi>E</mi><mi>m</mi></msub><msub><mi>E</mi><mi>n</mi></msub><mspace width="1em"/><mtext>for known pairs with</mtext><mspace width="0.5em"/><mi>i</mi><mi>j</mi><mo>=</mo><mi>m</mi><mi>n</mi></mtd></mtr>
<mtr><mtd><msub><mi>E</mi><mi>a</mi></msub><mo>=</mo><mo>(</mo><mn>1</mn><mo>+</mo><msub><mi>δ</mi><mi>a</mi></msub><mo>)</mo><msub><mi>ρ</mi><mi>a</mi></msub><mo>:</mo><mspace width="1em"/><msub><mi>δ</mi><mi>i</mi></msub><mo>+</mo><msub><mi>ρ</mi><mi>i</mi></msub><msub><mi>δ</mi><mi>j</mi></msub><msubsup><mi>ρ</mi><mi>i</mi><mrow><mo>−</mo><mn>1</mn></mrow></msubsup><mo>=</mo><msub><mi>δ</mi><mi>m</mi></msub><mo>+</mo><msub><mi>ρ</mi><mi>m</mi></msub><msub><mi>δ</mi><mi>n</mi></msub><msubsup><mi>ρ</mi><mi>m</mi><mrow><mo>−</mo><mn>1</mn></mrow></msubsup></mtd></mtr>
<mtr><mtd><msub><mi>n</mi><mn>0</mn></msub><mo>(</mo><mi>D</mi><mo>)</mo><mo>=</mo><msup><mi>d</mi><mn>2</mn></msup><mo>|</mo><mi>G</mi><mo>|</mo><mo>−</mo><mtext>rank</mtext><mspace width="0.2em"/><msub><mi>J</mi><mi>D</mi></msub><mo>≥</mo><msub><mi>n</mi><mn>0</mn></msub><mo>(</mo><mtext>all</mtext><mo>)</mo><mo>=</mo><msup><mi>d</mi><mn>2</mn></msup><mo>,</mo><mspace width="1em"/><mtext>forced</mtext><mo>⇔</mo><msub><mi>n</mi><mn>0</mn></msub><mo>(</mo><mi>D</mi><mo>)</mo><mo>=</mo><msup><mi>d</mi><mn>2</mn></msup></mtd></mtr>
</mtable></math>"#;
