//! From counted margins and climbing neurons to figures and numbers.

use super::super::fourier_network::network::{Network, Shape, all_frequencies};
use super::super::spread::{band, mean, median};
use super::super::{Assumption, Drawing, Figure, Line, Number, Outcome, Role, Scaled};
use super::MaxMarginFourier;
use super::dual::{climb, spectrum};
use super::few::best_sets;
use super::network::{Counted, PER_FREQUENCY, count, design, frequencies, margins_of, widest};
use crate::experiment::randomness::{Purpose, Stream};
use crate::task::is_prime;

/// Rounds of a climb; the share of other frequencies falls doubly exponentially.
const ROUNDS: usize = 80;
/// Phase noise of the outputs, radians.
const NOISES: [f64; 6] = [0.0, 0.1, 0.2, 0.4, 0.6, 0.8];
/// Widths of networks with random phases, as multiples of the design's.
const WIDTHS: [f64; 6] = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0];

/// Everything that was computed.
struct Found {
    p: usize,
    whole: Counted,
    neurons: usize,
    /// `(p, counted margin)` of designs, ascending.
    moduli: Vec<(usize, f64)>,
    /// Counted margins with the lowest 1, 2, … frequencies, over Σ‖neuron‖³.
    fewer: Vec<f64>,
    /// The best sets of 1, 2, … frequencies over ‖θ‖₂³, and their counted margins.
    few: Vec<(Vec<usize>, Counted)>,
    /// By size of noise: margins of each network, as shares of those without.
    noisy: Vec<Noisy>,
    /// By width: margins of networks with random phases, as shares of the widest.
    random: Vec<(usize, Vec<f64>)>,
    /// Spectrum of the output and value of each neuron that climbed.
    climbed: Vec<(Vec<f64>, f64)>,
}

/// Networks whose output phases are off.
struct Noisy {
    /// Standard deviation, radians.
    noise: f64,
    smallest: Vec<f64>,
    mean: Vec<f64>,
}

impl Found {
    fn of(settings: &MaxMarginFourier) -> Self {
        let p = settings.modulus as usize;
        let all = frequencies(p);
        let straight = |p: usize, used: &[usize]| count(&design(p, used, |_| 0.0), p);
        let neurons = design(p, &all, |_| 0.0).len();
        let whole = straight(p, &all);
        let most = p.max(16);
        // All up to 16, then fewer: margins are counted in time p⁴.
        let listed = (3..=most).filter(|&other| other <= 16 || other == p || (other % 4 == 3 && other < 32));
        let noisy = |(index, noise): (usize, &f64)| {
            let one = |draw: u32| {
                let mut stream = Stream::new(settings.seed, Purpose::Theory, 1000 * (index as u64 + 1) + u64::from(draw));
                let found = count(&design(p, &all, |_| noise * stream.normal()), p);
                (found.smallest / whole.smallest, found.mean / whole.mean)
            };
            // Without noise all networks are one.
            let (smallest, mean) = (0..if *noise > 0.0 { settings.draws } else { 1 }).map(one).unzip();
            Noisy { noise: *noise, smallest, mean }
        };
        let random = |share: &f64| {
            let width = libm::round(share * neurons as f64) as usize;
            let shape = Shape { modulus: p, frequencies: all_frequencies(p), width };
            // Waves of height 1: ‖neuron‖² = 3·p/2.
            let cubes = width as f64 * libm::pow(1.5 * p as f64, 1.5);
            let one = |draw: u32| {
                let margins = Network::new(shape, settings.seed, u64::from(draw)).margins();
                margins.into_iter().fold(f64::INFINITY, f64::min) / cubes / widest(p)
            };
            (width, (0..settings.draws).map(one).collect())
        };
        let climber = |index: u32| {
            let (neuron, value) = climb(p, ROUNDS, &mut Stream::new(settings.seed, Purpose::Theory, u64::from(index)));
            (spectrum(&neuron.output), value)
        };
        Self {
            p,
            whole,
            neurons,
            moduli: listed.map(|other| (other, straight(other, &frequencies(other)).margin())).collect(),
            fewer: (1..=all.len()).map(|used| straight(p, &all[..used]).margin()).collect(),
            few: best_sets(p).into_iter().map(|set| (set.clone(), straight(p, &set))).collect(),
            noisy: NOISES.iter().enumerate().map(noisy).collect(),
            random: WIDTHS.iter().map(random).collect(),
            climbed: (0..settings.climbers).map(climber).collect(),
        }
    }

    /// The largest value that a neuron climbed to.
    fn bound(&self) -> f64 {
        self.climbed.iter().map(|(_, value)| *value).fold(0.0, f64::max)
    }

    /// Margin without the highest frequency, as a share, and by its waves.
    fn dropped(&self) -> (f64, f64) {
        let used = self.fewer.len() - 1;
        (self.fewer[used - 1] / widest(self.p), self.by_waves(used).0 / widest(self.p))
    }

    /// Both margins of the lowest `used` frequencies, by their waves.
    fn by_waves(&self, used: usize) -> (f64, f64) {
        margins_of(self.p, &frequencies(self.p)[..used])
    }

    /// The best few frequencies over ‖θ‖₂³, and their margin over that of the design with all.
    fn best_few(&self) -> (&[usize], f64) {
        let shares = self.few.iter().map(|(set, counted)| (set.as_slice(), counted.plain_margin() / self.whole.plain_margin()));
        shares.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((&[], f64::NAN))
    }

    /// Largest relative error of the closed form over moduli of a kind.
    fn error(&self, is_wanted: impl Fn(usize) -> bool) -> f64 {
        let errors = self.moduli.iter().filter(|(p, _)| is_wanted(*p)).map(|(p, margin)| (margin / widest(*p) - 1.0).abs());
        errors.fold(0.0, f64::max)
    }

    /// Smallest share of the main frequency over the neurons that climbed, and how many main frequencies there are.
    fn purity(&self) -> (f64, usize) {
        let main = |shares: &[f64]| shares.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default();
        let mains: Vec<(usize, f64)> = self.climbed.iter().map(|(shares, _)| main(shares)).collect();
        let mut seen: Vec<usize> = mains.iter().map(|(frequency, _)| *frequency).collect();
        seen.sort_unstable();
        seen.dedup();
        (mains.iter().map(|(_, share)| *share).fold(1.0, f64::min), seen.len())
    }
}

/// The panel's answer; settings have been checked.
pub(super) fn outcome(settings: &MaxMarginFourier) -> Outcome {
    let found = Found::of(settings);
    let p = found.p;
    let (dropped, by_waves) = found.dropped();
    let plain = found.whole.plain_margin();
    let random =
        found.random.iter().find(|(width, _)| *width == found.neurons).map(|(_, shares)| shares.clone()).unwrap_or_default();
    let (low, high) = band(&random);
    let few_share = found.best_few().1;
    let few_words = listed(found.best_few().0);
    let numbers = vec![
        Number::found("margin", "Widest margin over Σ‖neuron‖³, counted over all pairs", found.whole.margin())
            .expected(widest(p)),
        Number::found("bound", "Most that a neuron of norm 1 is worth, climbed from random weights", found.bound())
            .expected(widest(p)),
        Number::found("unevenness", "Largest margin over the smallest, less 1", found.whole.largest / found.whole.smallest - 1.0)
            .expected(0.0),
        Number::found("dropped", "Share of it left without the highest frequency", dropped).expected(by_waves),
        Number::found("random", "Share of it with as many random phases; band over networks", median(&random)).band(low, high),
        Number::found("plain_margin", "Margin of the design over ‖θ‖₂³", plain)
            .expected(widest(p) * found.whole.cubes / libm::pow(found.whole.squares, 1.5)),
        Number::found("plain_share", "The same over the bound of any network", plain / widest(p)),
        Number::found(
            "few_share",
            format!("Margin over ‖θ‖₂³ with the frequencies {few_words} alone, over that of all"),
            few_share,
        )
        .expected(margins_of(p, found.best_few().0).1 / plain),
        Number::found("neurons", "Neurons of the design; the published one has 4(p − 1)", found.neurons as f64),
        Number::found("error_odd", "Largest relative error of the closed form over odd p", found.error(|p| !p.is_multiple_of(2)))
            .expected(0.0),
        Number::found("error_even", "The same over even p, with the other constant", found.error(|p| p.is_multiple_of(2)))
            .expected(0.0),
    ];
    Outcome {
        headline: format!(
            "Modulo {p} the design's margin, counted over all pairs, is {:.4e}, and no neuron climbs above {:.4e}; the closed form says \
             {:.4e}. In the ‖θ‖₂ that training minds, the frequencies {few_words} alone have {few_share:.2} times the margin of all {}",
            found.whole.margin(),
            found.bound(),
            widest(p),
            p / 2
        ),
        figures: vec![margins(&found), spectra(&found), few(&found), fewer(&found), noisy(&found), widths(&found)],
        numbers,
        assumptions: assumptions(&found),
    }
}

fn assumptions(found: &Found) -> Vec<Assumption> {
    let p = found.p;
    let kind = if is_prime(p as u32) {
        "an odd prime"
    } else if p.is_multiple_of(2) {
        "even"
    } else {
        "odd and composite"
    };
    let (purity, seen) = found.purity();
    let plain = found.whole.plain_margin() / widest(p);
    vec![
        Assumption {
            statement: "The modulus is an odd prime".into(),
            holds: Some(is_prime(p as u32)),
            evidence: format!(
                "{p} is {kind}. Counted margins are the published constant's at every odd p, prime or not, to {:.0e}; for even p the \
                 frequency p/2 is cheaper, p − 1 becomes p − 2 + 1/√2, and that holds to {:.0e}",
                found.error(|p| !p.is_multiple_of(2)),
                found.error(|p| p.is_multiple_of(2))
            ),
        },
        Assumption {
            statement: "The best neurons have one frequency each".into(),
            holds: Some(purity > 0.999),
            evidence: format!(
                "of {} that climbed the least pure has {:.4}% of its output in one, and they chose {seen} of {}",
                found.climbed.len(),
                100.0 * purity,
                p / 2
            ),
        },
        Assumption {
            statement: "Every frequency is used".into(),
            holds: Some(found.dropped().0 < 1.0),
            evidence: format!(
                "without the highest {:.1}% of the margin is left, all others at their best",
                100.0 * found.dropped().0
            ),
        },
        Assumption {
            statement: "The norm is Σ‖neuron‖³ and not the ‖θ‖₂ that training minds".into(),
            holds: Some(false),
            evidence: format!(
                "over ‖θ‖₂³ the design has 1/{:.2} of the bound, and the frequencies {} alone have {:.2} times as much. Where the widest \
                 margin in that norm lies between, nobody has shown",
                1.0 / plain,
                listed(found.best_few().0),
                found.best_few().1
            ),
        },
        Assumption {
            statement: "There are enough neurons".into(),
            holds: Some(true),
            evidence: format!(
                "the theorem asks for 4(p − 1) = {}; {PER_FREQUENCY} per frequency, {} in all, reach the same margin",
                4 * (p - 1),
                found.neurons
            ),
        },
    ]
}

fn figure(name: &str, caption: impl Into<String>, x: Scaled, y: Scaled, lines: Vec<Line>) -> Figure {
    Figure { name: name.into(), caption: caption.into(), drawing: Drawing::Lines { x, y, lines, marks: Vec::new() } }
}

fn margins(found: &Found) -> Figure {
    let of = |even: bool| found.moduli.iter().filter(move |(p, _)| p.is_multiple_of(2) == even);
    let measured = |even: bool| of(even).map(|(p, margin)| (*p as f64, *margin)).collect();
    let predicted = |even: bool| of(even).map(|(p, _)| (*p as f64, widest(*p))).collect();
    let lines = vec![
        Line::new("p odd", Role::Predicted, predicted(false)),
        Line::new("p odd", Role::Measured, measured(false)),
        Line::new("p even", Role::Predicted, predicted(true)),
        Line::new("p even", Role::Measured, measured(true)),
    ];
    let caption = "Margin of the design over Σ‖neuron‖³, counted over all pairs (solid), and the closed forms (dashed), which bound that \
                   of any network: √(2/27)/(√p(p − 1)) for odd p, with p − 2 + 1/√2 for even p";
    figure("margins", caption, Scaled::log("modulus p"), Scaled::log("margin over Σ‖neuron‖³"), lines)
}

fn spectra(found: &Found) -> Figure {
    let columns: Vec<f64> = frequencies(found.p).into_iter().map(|frequency| frequency as f64).collect();
    Figure {
        name: "spectra".into(),
        caption: "Neurons that climbed from random weights: share of each frequency in the output weights. Nothing asked for waves, and \
                  each has become one"
            .into(),
        drawing: Drawing::Map {
            row_label: "neuron".into(),
            column_label: "frequency".into(),
            rows: (1..=found.climbed.len()).map(|row| row as f64).collect(),
            columns,
            values: found.climbed.iter().flat_map(|(shares, _)| shares.iter().map(|share| *share as f32)).collect(),
            is_signed: false,
            kinds: Vec::new(),
        },
    }
}

/// Numbers as words.
fn listed(numbers: &[usize]) -> String {
    numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}

fn few(found: &Found) -> Figure {
    let line = |of: &dyn Fn(&[usize], &Counted) -> f64| {
        found.few.iter().map(|(set, counted)| (set.len() as f64, of(set, counted))).collect::<Vec<_>>()
    };
    let (widest, plain) = (widest(found.p), found.whole.plain_margin());
    let (own, trained) = ("over Σ‖neuron‖³", "over ‖θ‖₂³");
    let lines = vec![
        Line::new("all frequencies", Role::Baseline, line(&|_, _| 1.0)),
        Line::new(own, Role::Predicted, line(&|set, _| margins_of(found.p, set).0 / widest)),
        Line::new(own, Role::Measured, line(&|_, counted| counted.margin() / widest)),
        Line::new(trained, Role::Predicted, line(&|set, _| margins_of(found.p, set).1 / plain)),
        Line::new(trained, Role::Measured, line(&|_, counted| counted.plain_margin() / plain)),
    ];
    let caption = "Margin of the design with the best set of so many frequencies, over that with all of them: counted (solid) and by the \
                   heights of its waves (dashed). In the theorem's norm all are best; in the norm that training minds a few can be better";
    figure("few", caption, Scaled::linear("frequencies used"), Scaled::linear("margin over that with all"), lines)
}

fn fewer(found: &Found) -> Figure {
    let name = "share of the widest margin";
    let p = found.p;
    let counts = || 1..=found.fewer.len();
    let lines = vec![
        Line::new(name, Role::Predicted, counts().map(|used| (used as f64, found.by_waves(used).0 / widest(p))).collect()),
        Line::new(
            name,
            Role::Measured,
            counts().zip(&found.fewer).map(|(used, margin)| (used as f64, margin / widest(p))).collect(),
        ),
    ];
    let caption = "Margin of the design with its lowest frequencies alone, at the same Σ‖neuron‖³: counted (solid) and by the heights of \
                   its waves (dashed)";
    figure("frequencies", caption, Scaled::linear("frequencies used"), Scaled::linear("share of the widest margin"), lines)
}

fn noisy(found: &Found) -> Figure {
    let line = |of: fn(&Noisy) -> f64| found.noisy.iter().map(|noisy| (noisy.noise, of(noisy))).collect::<Vec<_>>();
    let lines = vec![
        Line::new("mean margin", Role::Predicted, NOISES.map(|noise| (noise, libm::exp(-0.5 * noise * noise))).to_vec()),
        Line::new("mean margin", Role::Measured, line(|noisy| mean(&noisy.mean))),
        Line::new("smallest margin", Role::Low, line(|noisy| band(&noisy.smallest).0)),
        Line::new("smallest margin", Role::High, line(|noisy| band(&noisy.smallest).1)),
        Line::new("smallest margin", Role::Kind(1), line(|noisy| median(&noisy.smallest))),
    ];
    let caption = "Margins of the design, as shares of those without noise, when output phases are off by a normal angle. The mean falls \
                   like e^(−σ²/2) (dashed); the smallest far faster, because what phases cancelled comes back";
    figure("phases", caption, Scaled::linear("phase noise σ (rad)"), Scaled::linear("share of the margin"), lines)
}

fn widths(found: &Found) -> Figure {
    let line =
        |of: &dyn Fn(&[f64]) -> f64| found.random.iter().map(|(width, shares)| (*width as f64, of(shares))).collect::<Vec<_>>();
    let design = found.random.iter().map(|(width, _)| *width as f64).filter(|width| *width >= found.neurons as f64);
    let lines = vec![
        Line::new("design", Role::Predicted, design.map(|width| (width, 1.0)).collect()),
        Line::new("random phases", Role::Low, line(&|shares| band(shares).0)),
        Line::new("random phases", Role::High, line(&|shares| band(shares).1)),
        Line::new("random phases", Role::Measured, line(&median)),
    ];
    let caption = "Smallest margin over Σ‖neuron‖³, as a share of the widest, with random phases (median and 10–90% of networks); the \
                   design has all of it from its own width on. Below 0 some pairs are wrong";
    figure("width", caption, Scaled::log("neurons N"), Scaled::linear("share of the widest margin"), lines)
}
