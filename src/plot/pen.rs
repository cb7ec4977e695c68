//! Rectangles, lines and words in CSS pixels.
//!
//! Figures would otherwise repeat the device pixel ratio in every coordinate, font and stroke, and one forgotten factor is a
//! blurred or tiny chart. Straight lines are drawn as filled rectangles, which stay sharp at any ratio, where a stroked line
//! straddles two pixel rows. Text is measured from a table of letter widths: on the web plotters measures by inserting an
//! element into the document and forcing a layout, once per label.

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::element::{Circle, PathElement, Polygon, Rectangle};
use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, RGBColor, ShapeStyle};

use super::Surface;

/// The typeface of every figure, as a CSS `font-family`.
pub const FONT_FAMILY: &str = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

/// What drawing returns.
pub(super) type Drawn<T, DB> = Result<T, DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;

/// Draws onto an area in CSS pixels.
pub(super) struct Pen<'a, DB: DrawingBackend> {
    area: &'a DrawingArea<DB, Shift>,
    ratio: f64,
    /// Font size in CSS pixels.
    pub font: f64,
    /// Stroke of a data line in CSS pixels.
    pub stroke: f64,
}

impl<'a, DB: DrawingBackend> Pen<'a, DB> {
    pub fn new(area: &'a DrawingArea<DB, Shift>, surface: Surface) -> Self {
        let (font, stroke) = if surface.large { (20.0, 3.0) } else { (14.0, 2.0) };
        Self { area, ratio: surface.ratio(), font, stroke }
    }

    /// Height of a row of text in CSS pixels.
    pub fn row(&self) -> f64 {
        (self.font * 1.3).round()
    }

    /// The device pixel nearest to a CSS pixel, back in CSS pixels.
    pub fn snap(&self, css_px: f64) -> f64 {
        (css_px * self.ratio).round() / self.ratio
    }

    fn device(&self, css_px: f64) -> i32 {
        (css_px * self.ratio).round() as i32
    }

    fn width(&self, css_px: f64) -> u32 {
        self.device(css_px).max(1).unsigned_abs()
    }

    /// A filled rectangle, at least one device pixel in both directions.
    pub fn fill(&self, (x0, y0): (f64, f64), (x1, y1): (f64, f64), color: RGBColor) -> Drawn<(), DB> {
        let corner = (self.device(x0), self.device(y0));
        let opposite = (self.device(x1).max(corner.0 + 1), self.device(y1).max(corner.1 + 1));
        self.area.draw(&Rectangle::new([corner, opposite], color.filled()))
    }

    /// A thin horizontal line centred on `y`.
    pub fn across(&self, (x0, x1): (f64, f64), y: f64, color: RGBColor) -> Drawn<(), DB> {
        let y = self.device(y - 0.5);
        let bottom = y + self.device(1.0).max(1);
        self.area.draw(&Rectangle::new([(self.device(x0), y), (self.device(x1), bottom)], color.filled()))
    }

    /// A thin vertical line centred on `x`.
    pub fn down(&self, x: f64, (y0, y1): (f64, f64), color: RGBColor) -> Drawn<(), DB> {
        let x = self.device(x - 0.5);
        let right = x + self.device(1.0).max(1);
        self.area.draw(&Rectangle::new([(x, self.device(y0)), (right, self.device(y1))], color.filled()))
    }

    /// A line through `points`; points that fall on the same device pixel are drawn once.
    pub fn path(&self, points: &[(f64, f64)], color: RGBColor) -> Drawn<(), DB> {
        self.path_of(self.stroke, points, color)
    }

    /// The same with a stroke of its own, in CSS pixels.
    pub fn path_of(&self, stroke: f64, points: &[(f64, f64)], color: RGBColor) -> Drawn<(), DB> {
        let mut pixels: Vec<(i32, i32)> = points.iter().map(|&(x, y)| (self.device(x), self.device(y))).collect();
        pixels.dedup();
        let style = ShapeStyle { color: color.to_rgba(), filled: false, stroke_width: self.width(stroke) };
        self.area.draw(&PathElement::new(pixels, style))
    }

    /// A filled polygon that what lies behind shows through; `opacity` from 0 to 1.
    pub fn area(&self, corners: &[(f64, f64)], color: RGBColor, opacity: f64) -> Drawn<(), DB> {
        let pixels: Vec<(i32, i32)> = corners.iter().map(|&(x, y)| (self.device(x), self.device(y))).collect();
        self.area.draw(&Polygon::new(pixels, color.mix(opacity)))
    }

    /// A filled circle.
    pub fn dot(&self, (x, y): (f64, f64), radius: f64, color: RGBColor) -> Drawn<(), DB> {
        self.area.draw(&Circle::new((self.device(x), self.device(y)), self.width(radius), color.filled()))
    }

    /// Words anchored at a point.
    pub fn text(&self, words: &str, (x, y): (f64, f64), (across, down): (HPos, VPos), color: RGBColor) -> Drawn<(), DB> {
        if words.is_empty() {
            return Ok(());
        }
        let font = FontDesc::new(FontFamily::Name(FONT_FAMILY), self.font * self.ratio, FontStyle::Normal);
        let style = font.color(&color).pos(Pos::new(across, down));
        self.area.draw_text(words, &style, (self.device(x), self.device(y)))
    }

    /// Width of words in CSS pixels, a little on the large side.
    pub fn measure(&self, words: &str) -> f64 {
        self.font * words.chars().map(letter_width).sum::<f64>()
    }

    /// `words`, shortened with … until they are at most `room` CSS pixels wide; empty where not even one letter fits.
    pub fn fit(&self, words: &str, room: f64) -> String {
        if self.measure(words) <= room {
            return words.to_owned();
        }
        let mut room = room - self.measure("…");
        let mut short = String::new();
        for letter in words.chars() {
            room -= self.font * letter_width(letter);
            if room < 0.0 {
                break;
            }
            short.push(letter);
        }
        if short.is_empty() {
            return short;
        }
        format!("{}…", short.trim_end())
    }
}

/// Advance of a letter in em: that of DejaVu Sans, the widest face behind `system-ui`, so that words never run out of their room.
fn letter_width(letter: char) -> f64 {
    match letter {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' => 0.34,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '-' | '·' | '⁰'..='⁻' | '¹' | '²' | '³' => 0.41,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' => 0.98,
        '×' | '−' | '+' | '=' => 0.84,
        'A'..='Z' => 0.74,
        _ => 0.64,
    }
}
