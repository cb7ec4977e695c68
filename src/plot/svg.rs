//! A backend that writes SVG, for figures that leave the page.
//!
//! plotters' own SVG backend was not used: it shrinks fonts by 1.24, so that names would no longer stand where figures measured
//! them, and anchors words by `dy` in a different place than a canvas does. Here a saved figure is the figure on the page:
//! coordinates are CSS pixels in quarters, words are text that can be searched and edited, and they are placed by their baseline
//! because few programs besides browsers know `dominant-baseline`.

use std::cell::RefCell;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::rc::Rc;

use plotters::prelude::DrawingBackend;
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingErrorKind};

use super::{FONT_FAMILY, Surface};

/// Writes what is drawn as the elements of an SVG document.
#[derive(Debug)]
pub struct Svg {
    surface: Surface,
    elements: Rc<RefCell<String>>,
}

type Done = Result<(), DrawingErrorKind<Infallible>>;

impl Svg {
    /// The surface of a document of so many CSS pixels.
    pub fn surface(width: u32, height: u32) -> Surface {
        // Backends take whole pixels; quarters of them are finer than one sees and short to write.
        const FINENESS: u32 = 4;
        Surface::new(width.saturating_mul(FINENESS), height.saturating_mul(FINENESS), f64::from(FINENESS))
    }

    /// A backend, and where its elements will be.
    pub(super) fn new(surface: Surface) -> (Self, Rc<RefCell<String>>) {
        let elements = Rc::new(RefCell::new(String::new()));
        (Self { surface, elements: Rc::clone(&elements) }, elements)
    }

    fn css(&self, device: i32) -> f64 {
        f64::from(device) / self.surface.ratio()
    }

    fn add(&self, element: std::fmt::Arguments<'_>) -> Done {
        // Writing to a string cannot fail.
        let _ = self.elements.borrow_mut().write_fmt(element);
        Ok(())
    }
}

/// The document around elements. Rectangles are most of a figure, so what they need is said once, here.
pub(super) fn document(surface: Surface, elements: &str) -> String {
    let (width, height) = (surface.width(), surface.height());
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"{FONT_FAMILY}\" shape-rendering=\"crispEdges\">\n{elements}</svg>\n"
    )
}

fn hex(color: BackendColor) -> String {
    let (red, green, blue) = color.rgb;
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// How a shape is filled or outlined.
fn paint<S: BackendStyle>(style: &S, fill: bool, surface: Surface) -> String {
    let color = hex(style.color());
    if fill {
        return format!("fill=\"{color}\"");
    }
    let width = f64::from(style.stroke_width()) / surface.ratio();
    format!("fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\"")
}

/// Words as XML text; characters that XML has no place for are left out.
fn escaped(words: &str) -> String {
    let mut text = String::with_capacity(words.len());
    for letter in words.chars() {
        match letter {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {}
            letter => text.push(letter),
        }
    }
    text
}

impl DrawingBackend for Svg {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        (self.surface.width_px, self.surface.height_px)
    }

    fn ensure_prepared(&mut self) -> Done {
        Ok(())
    }

    fn present(&mut self) -> Done {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Done {
        self.draw_rect((x, y), (x + 1, y + 1), &color, true)
    }

    fn draw_rect<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S, fill: bool) -> Done {
        let (x, y, right, bottom) = (self.css(from.0), self.css(from.1), self.css(to.0), self.css(to.1));
        let (width, height, paint) = ((right - x).max(0.0), (bottom - y).max(0.0), paint(style, fill, self.surface));
        self.add(format_args!("<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" {paint}/>\n"))
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Done {
        let points: Vec<String> = path.into_iter().map(|(x, y)| format!("{},{}", self.css(x), self.css(y))).collect();
        self.add(format_args!(
            "<polyline points=\"{}\" {} stroke-linejoin=\"round\" stroke-linecap=\"round\" shape-rendering=\"auto\"/>\n",
            points.join(" "),
            paint(style, false, self.surface)
        ))
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, corners: I, style: &S) -> Done {
        let points: Vec<String> = corners.into_iter().map(|(x, y)| format!("{},{}", self.css(x), self.css(y))).collect();
        self.add(format_args!(
            "<polygon points=\"{}\" {} fill-opacity=\"{}\" shape-rendering=\"auto\"/>\n",
            points.join(" "),
            paint(style, true, self.surface),
            style.color().alpha
        ))
    }

    fn draw_circle<S: BackendStyle>(&mut self, centre: BackendCoord, radius: u32, style: &S, fill: bool) -> Done {
        let (x, y, radius) = (self.css(centre.0), self.css(centre.1), f64::from(radius) / self.surface.ratio());
        let paint = paint(style, fill, self.surface);
        self.add(format_args!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" {paint} shape-rendering=\"auto\"/>\n"))
    }

    fn draw_text<S: BackendTextStyle>(&mut self, words: &str, style: &S, at: BackendCoord) -> Done {
        let size = style.size() / self.surface.ratio();
        let across = match style.anchor().h_pos {
            HPos::Left => "start",
            HPos::Center => "middle",
            HPos::Right => "end",
        };
        // From the upper edge, the middle and the lower edge of a line to its baseline, in em: common to the faces of a system.
        let down = match style.anchor().v_pos {
            VPos::Top => 0.88,
            VPos::Center => 0.35,
            VPos::Bottom => -0.22,
        };
        let (x, y) = (self.css(at.0), (100.0 * (self.css(at.1) + down * size)).round() / 100.0);
        let (color, words) = (hex(style.color()), escaped(words));
        self.add(format_args!(
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" text-anchor=\"{across}\" fill=\"{color}\">{words}</text>\n"
        ))
    }
}
