//! Is the passage to generalising a phase transition, of which order, and how would one know?
//!
//! The word is used of any steep curve. Here the tests that physics has for it are one analysis, first tried on spins whose transition
//! is known exactly, of either order, and then put to networks. It may answer that nothing is shown.

mod analysis;
mod answer;
mod collapse;
mod dip;
mod exact;
mod growth;
mod landau;
mod locate;
mod networks;
mod nucleation;
mod report;
mod run;
mod samples;
mod settings;
mod survival;
#[cfg(test)]
mod tests;

pub use settings::StatisticalPhysics;

use super::{About, Begun, OfRun, Outcome, Theory};
use crate::record::UserError;

impl Theory for StatisticalPhysics {
    const ABOUT: About = About {
        name: "statistical-physics",
        title: "A phase transition?",
        question: "Is the passage to generalising a phase transition, of which order, and how would one know?",
        paragraph: "A steep curve is not a transition yet. A transition gets steeper with the size of the system, and the scatter of m over \
                    seeds, times the size, peaks higher and higher where it happens. If it is first-order, two phases coexist there: some \
                    seeds have one value of m, some another, hardly any lie between, and the peak grows as the size. If it is continuous \
                    there is one phase, the peak grows more slowly, and curves of all sizes become one when m and the control are \
                    stretched by powers of the size. Here this is first tried on spins that can be counted out, where the answer is \
                    known, so that it shows what sixty-four seeds can tell and what they cannot. The survey then asks the same of \
                    networks. Of a single run it says where the new order starts: which neurons take on their frequency \
                    first, and whether the others follow them. No exponent is given without its band over seeds, and none at all for too few seeds or sizes.",
        equation: EQUATION,
        breaks: "Spins are in equilibrium and a seed is one draw of thermal noise; a network is read when its budget ends, and its seed \
                 is a start and a split, so that coexistence may be networks that were not done yet, and a variance that does not fall \
                 with size may be thresholds that differ from seed to seed. A weakly first-order transition passes for a continuous one \
                 at sizes at which its two phases still overlap. And exponents of small sizes are not those of large ones: even without \
                 noise they are off by up to a tenth here.",
        survey: Some("Trains ensembles of networks of several p, at the start 27 of 32 each: one to two minutes"),
        references: &[
            "Binder 1981, Finite size scaling analysis of Ising model block distribution functions, Z. Phys. B 43, 119: U₄",
            "Fisher and Berker 1982, Scaling for first-order phase transitions in thermodynamic and finite systems, Phys. Rev. B 26, 2507",
            "Houdayer and Hartmann 2004, Low-temperature behavior of two-dimensional Gaussian Ising spin glasses, Phys. Rev. B 70, 014418: quality of a collapse",
            "Hartigan and Hartigan 1985, The dip test of unimodality, Ann. Statist. 13, 70",
            "Blume 1966, Phys. Rev. 141, 517; Capel 1966, Physica 32, 966: spins 0, ±1",
            "Bi, Zhang, Wang and Calhoun 2026, Grokking as a falsifiable finite-size transition, arXiv 2603.24746: crossings and ΔAIC = 16.8 for \
             a transition with p = 53 to 397, its order unresolved",
            "Rubin, Seroussi and Ringel 2023, Grokking as a first order phase transition in two layer networks, arXiv 2310.03789",
        ],
    };

    const SYSTEM_FIELDS: &'static [&'static str] = &["system", "crystal_field", "sizes", "temperatures", "span", "seeds"];

    const SURVEY_FIELDS: &'static [&'static str] =
        &["moduli", "control", "from", "to", "controls", "train_fraction", "networks", "width", "steps", "order_parameter"];

    const OF_RUN: Option<OfRun> = Some(run::of_run);

    const RUN_MEASURES: &'static [&'static str] = &["neurons"];

    fn outcome(&self) -> Result<Outcome, UserError> {
        answer::outcome(self)
    }

    fn survey(&self) -> Begun {
        Ok(Some(Box::new(networks::Networks::new(self)?)))
    }
}

const EQUATION: &str = "<math display=\"block\"><mtable columnalign=\"left\">\
<mtr><mtd><mi>P</mi><mo>(</mo><mi>m</mi><mo>)</mo><mo>∝</mo><msup><mi>e</mi><mrow><mo>−</mo><mi>F</mi><mo>(</mo><mi>m</mi><mo>)</mo></mrow></msup>\
<mo>,</mo><mspace width=\"1em\"/><mi>F</mi><mo>=</mo><mi>N</mi><mo>(</mo><mfrac><mi>a</mi><mn>2</mn></mfrac><msup><mi>m</mi><mn>2</mn></msup>\
<mo>+</mo><mfrac><mi>b</mi><mn>4</mn></mfrac><msup><mi>m</mi><mn>4</mn></msup><mo>+</mo><mfrac><mi>c</mi><mn>6</mn></mfrac><msup><mi>m</mi><mn>6</mn></msup><mo>)</mo></mtd></mtr>\
<mtr><mtd><msub><mi>U</mi><mn>4</mn></msub><mo>=</mo><mn>1</mn><mo>−</mo><mfrac><mrow><mo>⟨</mo><msup><mi>m</mi><mn>4</mn></msup><mo>⟩</mo></mrow>\
<mrow><mn>3</mn><msup><mrow><mo>⟨</mo><msup><mi>m</mi><mn>2</mn></msup><mo>⟩</mo></mrow><mn>2</mn></msup></mrow></mfrac>\
<mo>,</mo><mspace width=\"1em\"/><mi>χ</mi><mo>=</mo><mi>N</mi><mo>(</mo><mo>⟨</mo><msup><mi>m</mi><mn>2</mn></msup><mo>⟩</mo><mo>−</mo>\
<msup><mrow><mo>⟨</mo><mi>m</mi><mo>⟩</mo></mrow><mn>2</mn></msup><mo>)</mo></mtd></mtr>\
<mtr><mtd><mi>m</mi><mo>=</mo><msup><mi>N</mi><mrow><mo>−</mo><mi>β</mi><mo>/</mo><mi>ν</mi></mrow></msup><mi>g</mi><mo>(</mo><mo>(</mo><mi>x</mi><mo>−</mo>\
<msub><mi>x</mi><mi>c</mi></msub><mo>)</mo><msup><mi>N</mi><mrow><mn>1</mn><mo>/</mo><mi>ν</mi></mrow></msup><mo>)</mo>\
<mo>,</mo><mspace width=\"1em\"/><msub><mi>χ</mi><mtext>max</mtext></msub><mo>∝</mo><msup><mi>N</mi><mi>κ</mi></msup></mtd></mtr>\
</mtable></math>";
