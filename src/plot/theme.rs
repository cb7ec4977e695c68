//! The colours of every chart, in one place.
//!
//! Without it "train" would be blue in one view and green in the next, and labels the page writes itself would drift from the
//! lines they name. The hues are Okabe and Ito's (blue, vermillion, bluish green, reddish purple), darkened on white and
//! lightened on black until each reads as text: a contrast of at least 4.5 (WCAG 2.1, AA). The original values were not kept
//! because their orange and green reach only 2 to 3.5 on white.

use plotters::style::RGBColor;

/// What a colour stands for; the same meaning everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ink {
    /// Training rows.
    Train,
    /// Test rows.
    Test,
    /// A prediction, drawn beside what was measured.
    Theory,
    /// A reference that is not the object of study.
    Baseline,
    /// The thing a reader should look at.
    Accent,
    /// Lines without a role of their own.
    Neutral,
    /// The n-th of several sources (checkpoints, frequencies, seeds); repeats after six.
    Source(u8),
}

/// Colours of one appearance of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// The page behind everything.
    pub background: RGBColor,
    /// What figures are drawn on; charts fill themselves with it.
    pub surface: RGBColor,
    /// Words that matter.
    pub text: RGBColor,
    /// Axis numbers and names.
    pub muted: RGBColor,
    /// Grid lines.
    pub grid: RGBColor,
    /// See [`Ink::Train`].
    pub train: RGBColor,
    /// See [`Ink::Test`].
    pub test: RGBColor,
    /// See [`Ink::Theory`].
    pub theory: RGBColor,
    /// See [`Ink::Baseline`].
    pub baseline: RGBColor,
    /// See [`Ink::Accent`].
    pub accent: RGBColor,
    /// See [`Ink::Source`].
    pub sources: [RGBColor; 6],
    /// Whether light words stand on a dark surface.
    pub is_dark: bool,
}

impl Theme {
    /// Dark words on white.
    pub const fn light() -> Self {
        Self {
            background: RGBColor(0xf7, 0xf8, 0xf9),
            surface: RGBColor(0xff, 0xff, 0xff),
            text: RGBColor(0x1f, 0x23, 0x28),
            muted: RGBColor(0x59, 0x61, 0x6b),
            grid: RGBColor(0xe4, 0xe7, 0xea),
            train: RGBColor(0x00, 0x68, 0xa8),
            test: RGBColor(0xc0, 0x4a, 0x00),
            theory: RGBColor(0x00, 0x78, 0x5a),
            baseline: RGBColor(0x6b, 0x72, 0x80),
            accent: RGBColor(0xa2, 0x3b, 0x7a),
            sources: [
                RGBColor(0x33, 0x22, 0x88),
                RGBColor(0x0f, 0x76, 0x6e),
                RGBColor(0x9a, 0x5b, 0x13),
                RGBColor(0x88, 0x22, 0x55),
                RGBColor(0x71, 0x70, 0x1a),
                RGBColor(0x4b, 0x55, 0x63),
            ],
            is_dark: false,
        }
    }

    /// Light words on near-black.
    pub const fn dark() -> Self {
        Self {
            background: RGBColor(0x12, 0x15, 0x1a),
            surface: RGBColor(0x19, 0x1d, 0x23),
            text: RGBColor(0xe8, 0xea, 0xed),
            muted: RGBColor(0xa9, 0xb0, 0xba),
            grid: RGBColor(0x2f, 0x35, 0x3e),
            train: RGBColor(0x5a, 0xb4, 0xf0),
            test: RGBColor(0xff, 0x9a, 0x52),
            theory: RGBColor(0x35, 0xc7, 0x9b),
            baseline: RGBColor(0x9a, 0xa3, 0xaf),
            accent: RGBColor(0xe5, 0x98, 0xc6),
            sources: [
                RGBColor(0xa9, 0x9c, 0xf2),
                RGBColor(0x6f, 0xd3, 0xc6),
                RGBColor(0xe0, 0xb0, 0x70),
                RGBColor(0xee, 0x8f, 0xae),
                RGBColor(0xcf, 0xc9, 0x5a),
                RGBColor(0xb6, 0xbe, 0xc9),
            ],
            is_dark: true,
        }
    }

    /// The colour of a meaning.
    pub const fn ink(&self, ink: Ink) -> RGBColor {
        match ink {
            Ink::Train => self.train,
            Ink::Test => self.test,
            Ink::Theory => self.theory,
            Ink::Baseline => self.baseline,
            Ink::Accent => self.accent,
            Ink::Neutral => self.muted,
            Ink::Source(index) => self.sources[index as usize % self.sources.len()],
        }
    }

    /// The colour of a meaning as a ground that lines and [`Theme::muted`] words stand on.
    pub(super) fn pale(&self, ink: Ink) -> RGBColor {
        mix(self.surface, self.ink(ink), if self.is_dark { 0.14 } else { 0.09 })
    }

    /// Opacity of a spread: two that overlap are still told apart.
    pub(super) fn veil(&self) -> f64 {
        if self.is_dark { 0.24 } else { 0.16 }
    }

    /// The colour of a meaning for many thin lines that must not outweigh what they join.
    pub(super) fn faint(&self, ink: Ink) -> RGBColor {
        mix(self.surface, self.ink(ink), 0.45)
    }
}

/// `share` of the way from one colour to another, as if the second were so opaque.
fn mix(RGBColor(r0, g0, b0): RGBColor, RGBColor(r1, g1, b1): RGBColor, share: f64) -> RGBColor {
    let channel = |from: u8, to: u8| (f64::from(from) + share * (f64::from(to) - f64::from(from))).round() as u8;
    RGBColor(channel(r0, r1), channel(g0, g1), channel(b0, b1))
}

/// The colour of a meaning as CSS `#rrggbb`, so that labels outside the canvas match the lines inside it.
pub fn css_hex(ink: Ink, dark: bool) -> String {
    let RGBColor(red, green, blue) = if dark { Theme::dark() } else { Theme::light() }.ink(ink);
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMED: [Ink; 6] = [Ink::Train, Ink::Test, Ink::Theory, Ink::Baseline, Ink::Accent, Ink::Neutral];

    fn linear(RGBColor(red, green, blue): RGBColor) -> [f64; 3] {
        [red, green, blue].map(|channel| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        })
    }

    /// WCAG 2.1 contrast ratio.
    fn contrast(a: RGBColor, b: RGBColor) -> f64 {
        let luminance = |color| {
            let [red, green, blue] = linear(color);
            0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05
        };
        let (a, b) = (luminance(a), luminance(b));
        a.max(b) / a.min(b)
    }

    #[test]
    fn every_ink_reads_as_text_on_its_surface() {
        for theme in [Theme::light(), Theme::dark()] {
            let sources = (0..6).map(Ink::Source);
            for color in NAMED.into_iter().chain(sources).map(|ink| theme.ink(ink)).chain([theme.text, theme.muted]) {
                assert!(contrast(color, theme.surface) >= 4.5, "{color:?} on {:?}", theme.surface);
                assert!(contrast(color, theme.background) >= 4.5, "{color:?} on {:?}", theme.background);
            }
        }
    }

    #[test]
    fn names_read_on_every_pale_ground_and_the_ground_differs_from_the_surface() {
        for theme in [Theme::light(), Theme::dark()] {
            for ink in NAMED.into_iter().chain((0..6).map(Ink::Source)) {
                let ground = theme.pale(ink);
                assert!(contrast(theme.muted, ground) >= 4.5, "{ink:?} {ground:?}");
                assert!((1.03..1.5).contains(&contrast(ground, theme.surface)), "{ink:?} {ground:?}");
            }
        }
    }

    #[test]
    fn train_test_and_theory_stay_apart_without_red_or_green_cones() {
        // Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
        let protanopia = [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]];
        let deuteranopia = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]];
        for theme in [Theme::light(), Theme::dark()] {
            for matrix in [protanopia, deuteranopia] {
                let seen = |color| {
                    let rgb = linear(color);
                    matrix.map(|row| {
                        let mixed: f64 = row.iter().zip(rgb).map(|(weight, channel)| weight * channel).sum();
                        mixed.clamp(0.0, 1.0).powf(1.0 / 2.2)
                    })
                };
                let inks = [theme.train, theme.test, theme.theory].map(seen);
                for (a, b) in [(0, 1), (0, 2), (1, 2)] {
                    let distance = (0..3).map(|channel| (inks[a][channel] - inks[b][channel]).powi(2)).sum::<f64>().sqrt();
                    assert!(distance > 0.2, "{a} and {b} are {distance} apart, dark {}", theme.is_dark);
                }
            }
        }
    }

    #[test]
    fn css_names_the_same_colours() {
        assert_eq!(css_hex(Ink::Train, false), "#0068a8");
        assert_eq!(css_hex(Ink::Source(7), true), css_hex(Ink::Source(1), true));
    }
}
