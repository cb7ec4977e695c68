//! Colours for the values of a heat map, even to the eye.
//!
//! A ramp that is uneven in lightness shows edges that are not in the data. These are straight in the lightness of OKLab
//! (Ottosson 2020) and run from the surface outwards, so that "nothing" recedes on white and on black alike; viridis was
//! rejected because its dark "nothing" would dominate a white page. The two-sided one is violet and green: readable with every
//! common colour blindness, and neither the blue of train nor the orange of test.

use plotters::style::RGBColor;

/// Which colours stand for the values of a heat map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Palette {
    /// From nothing to much.
    #[default]
    Sequential,
    /// Both signs around 0.
    Diverging,
}

/// Shades of a palette: neighbours are just distinguishable, and equal neighbours can be drawn as one.
pub(super) const SHADES: usize = 64;

impl Palette {
    /// All shades from the lower to the upper end.
    pub(super) fn shades(self, is_dark: bool) -> [RGBColor; SHADES] {
        std::array::from_fn(|index| self.color(index as f64 / (SHADES - 1) as f64, is_dark))
    }

    fn color(self, share: f64, is_dark: bool) -> RGBColor {
        match self {
            Self::Sequential => {
                let (from, to, hues) = if is_dark {
                    (0.25, 0.95, [(0.0, -0.02), (0.0, -0.10), (-0.06, -0.06), (-0.05, 0.03)])
                } else {
                    (0.96, 0.30, [(-0.01, 0.0), (-0.06, -0.02), (-0.05, -0.09), (0.01, -0.11)])
                };
                let place = share * 3.0;
                let segment = (place as usize).min(2);
                let (before, after, within) = (hues[segment], hues[segment + 1], place - segment as f64);
                let blend = |a: f64, b: f64| a + within * (b - a);
                oklab(from + share * (to - from), blend(before.0, after.0), blend(before.1, after.1))
            }
            Self::Diverging => {
                let signed = 2.0 * share - 1.0;
                let (middle, end) = if is_dark { (0.27, 0.85) } else { (0.965, 0.40) };
                let (a, b) = if signed < 0.0 { (0.10, -0.12) } else { (-0.11, 0.07) };
                let amount = signed.abs();
                oklab(middle + amount * (end - middle), a * amount, b * amount)
            }
        }
    }
}

/// The colour of a value that comes round again (residues, phases): 0 and 1 are the same.
///
/// A circle of one lightness and chroma in OKLab, so that no residue stands out and neighbours are equally far apart; hue in
/// HSV was rejected for its glaring yellow and its wide flat green. The chroma is the largest that sRGB has for every hue.
pub(super) fn cyclic(share: f64, is_dark: bool) -> RGBColor {
    let (lightness, chroma) = if is_dark { (0.76, 0.12) } else { (0.62, 0.10) };
    let (sine, cosine) = (share * std::f64::consts::TAU).sin_cos();
    oklab(lightness, chroma * cosine, chroma * sine)
}

/// sRGB of an OKLab colour, cut to the gamut (<https://bottosson.github.io/posts/oklab/>).
fn oklab(lightness: f64, a: f64, b: f64) -> RGBColor {
    let long = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let medium = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let short = (lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
    let channel = |linear: f64| {
        let bent = if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 };
        (bent.clamp(0.0, 1.0) * 255.0).round() as u8
    };
    RGBColor(
        channel(4.076_741_662_1 * long - 3.307_711_591_3 * medium + 0.230_969_929_2 * short),
        channel(-1.268_438_004_6 * long + 2.609_757_401_1 * medium - 0.341_319_396_5 * short),
        channel(-0.004_196_086_3 * long - 0.703_418_614_7 * medium + 1.707_614_701_0 * short),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CIE 1976 lightness, 0 to 100.
    fn lightness(RGBColor(red, green, blue): RGBColor) -> f64 {
        let linear = |channel: u8| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        let luminance = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
        if luminance > 0.008856 { 116.0 * luminance.cbrt() - 16.0 } else { 903.3 * luminance }
    }

    #[test]
    fn white_black_and_red_are_converted_as_published() {
        assert_eq!(oklab(1.0, 0.0, 0.0), RGBColor(255, 255, 255));
        assert_eq!(oklab(0.0, 0.0, 0.0), RGBColor(0, 0, 0));
        assert_eq!(oklab(0.627_955, 0.224_863, 0.125_846), RGBColor(255, 0, 0));
    }

    #[test]
    fn lightness_changes_evenly_along_every_palette() {
        for is_dark in [false, true] {
            let sequential = Palette::Sequential.shades(is_dark).map(lightness);
            let diverging = Palette::Diverging.shades(is_dark).map(lightness);
            for ramp in [&sequential[..], &diverging[..SHADES / 2], &diverging[SHADES / 2..]] {
                let whole = ramp[ramp.len() - 1] - ramp[0];
                let mean = whole / (ramp.len() - 1) as f64;
                assert!(whole.abs() > 45.0, "{ramp:?}");
                for pair in ramp.windows(5) {
                    let step = (pair[4] - pair[0]) / 4.0;
                    assert!((0.5..1.6).contains(&(step / mean)), "dark {is_dark}: {step} against {mean}, {ramp:?}");
                }
            }
        }
    }

    /// OKLab of an sRGB colour (<https://bottosson.github.io/posts/oklab/>), the way back of [`oklab`].
    fn seen(RGBColor(red, green, blue): RGBColor) -> [f64; 3] {
        let [r, g, b] = [red, green, blue].map(|channel| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        });
        let l = (0.412_221_470_8 * r + 0.536_332_536_3 * g + 0.051_445_992_9 * b).cbrt();
        let m = (0.211_903_498_2 * r + 0.680_699_545_1 * g + 0.107_396_956_6 * b).cbrt();
        let s = (0.088_302_461_9 * r + 0.281_718_837_6 * g + 0.629_978_700_5 * b).cbrt();
        [
            0.210_454_255_3 * l + 0.793_617_785_0 * m - 0.004_072_046_8 * s,
            1.977_998_495_1 * l - 2.428_592_205_0 * m + 0.450_593_709_9 * s,
            0.025_904_037_1 * l + 0.782_771_766_2 * m - 0.808_675_766_0 * s,
        ]
    }

    #[test]
    fn the_cyclic_palette_comes_round_in_equal_steps_and_reads_on_both_surfaces() {
        for (is_dark, surface) in [(false, 100.0), (true, 11.0)] {
            let ring: Vec<[f64; 3]> = (0..64).map(|index| seen(cyclic(f64::from(index) / 64.0, is_dark))).collect();
            let apart = |a: [f64; 3], b: [f64; 3]| (0..3).map(|axis| (a[axis] - b[axis]).powi(2)).sum::<f64>().sqrt();
            let steps: Vec<f64> = (0..64).map(|index| apart(ring[index], ring[(index + 1) % 64])).collect();
            let mean = steps.iter().sum::<f64>() / 64.0;
            assert!(steps.iter().all(|step| (0.7..1.3).contains(&(step / mean))), "dark {is_dark}: {steps:?}");
            assert!((0..64).all(|index| apart(ring[index], ring[(index + 32) % 64]) > 0.18), "opposites are far apart");
            for share in [0.0, 0.1, 0.35, 0.6, 0.85] {
                assert_eq!(cyclic(share, is_dark), cyclic(share + 1.0, is_dark));
                // A contrast of 3, as WCAG asks of graphics, is about 40 points of lightness from either end.
                assert!((lightness(cyclic(share, is_dark)) - surface).abs() > 38.0, "{share}");
            }
        }
    }

    #[test]
    fn both_signs_are_equally_strong() {
        for is_dark in [false, true] {
            let shades = Palette::Diverging.shades(is_dark).map(lightness);
            for index in 0..SHADES / 2 {
                assert!((shades[index] - shades[SHADES - 1 - index]).abs() < 9.0, "{index}: {shades:?}");
            }
        }
    }
}
