//! A backend that keeps what is drawn, for tests and for looking at figures without a browser.
//!
//! plotters' SVG backend was not used: it shrinks fonts by 1.24 and anchors words differently from a canvas, so what one sees is
//! not what the page shows.

use std::cell::RefCell;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::rc::Rc;

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea as _};
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind};

use super::Surface;

/// Something drawn, in device pixels.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Drawing {
    Fill { from: BackendCoord, to: BackendCoord, color: (u8, u8, u8) },
    Path { points: Vec<BackendCoord>, color: (u8, u8, u8), width: u32 },
    Dot { centre: BackendCoord, radius: u32, color: (u8, u8, u8) },
    Text { words: String, at: BackendCoord, size: f64, anchor: (HPosition, VPosition), color: (u8, u8, u8) },
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum HPosition {
    Left,
    Center,
    Right,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum VPosition {
    Top,
    Center,
    Bottom,
}

pub(super) struct Recorder {
    size: (u32, u32),
    drawings: Rc<RefCell<Vec<Drawing>>>,
}

/// Runs `draw` on a recorder of the surface's size and returns its value and everything drawn.
pub(super) fn record<T>(surface: Surface, draw: impl FnOnce(&DrawingArea<Recorder, Shift>) -> T) -> (T, Vec<Drawing>) {
    let drawings = Rc::new(RefCell::new(Vec::new()));
    let area = Recorder { size: (surface.width_px, surface.height_px), drawings: Rc::clone(&drawings) }.into_drawing_area();
    let value = draw(&area);
    (value, drawings.take())
}

/// The drawings as an SVG document with a canvas' text placement.
pub(super) fn to_svg(drawings: &[Drawing], surface: Surface) -> String {
    let (width, height) = (surface.width_px, surface.height_px);
    let hex = |(red, green, blue): (u8, u8, u8)| format!("#{red:02x}{green:02x}{blue:02x}");
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{}' height='{}'>",
        surface.width(),
        surface.height()
    );
    for drawing in drawings {
        let written = match drawing {
            Drawing::Fill { from, to, color } => write!(
                svg,
                "<rect x='{}' y='{}' width='{}' height='{}' fill='{}' shape-rendering='crispEdges'/>",
                from.0,
                from.1,
                to.0 - from.0,
                to.1 - from.1,
                hex(*color)
            ),
            Drawing::Path { points, color, width } => {
                let points: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
                write!(
                    svg,
                    "<polyline points='{}' fill='none' stroke='{}' stroke-width='{width}' stroke-linejoin='round'/>",
                    points.join(" "),
                    hex(*color)
                )
            }
            Drawing::Dot { centre, radius, color } => {
                write!(svg, "<circle cx='{}' cy='{}' r='{radius}' fill='{}'/>", centre.0, centre.1, hex(*color))
            }
            Drawing::Text { words, at, size, anchor, color } => {
                let across = match anchor.0 {
                    HPosition::Left => "start",
                    HPosition::Center => "middle",
                    HPosition::Right => "end",
                };
                let down = match anchor.1 {
                    VPosition::Top => "text-before-edge",
                    VPosition::Center => "central",
                    VPosition::Bottom => "text-after-edge",
                };
                write!(
                    svg,
                    "<text x='{}' y='{}' font-size='{size}' font-family='system-ui, sans-serif' text-anchor='{across}' \
                     dominant-baseline='{down}' fill='{}'>{words}</text>",
                    at.0,
                    at.1,
                    hex(*color)
                )
            }
        };
        written.unwrap();
    }
    svg + "</svg>"
}

type Done = Result<(), DrawingErrorKind<Infallible>>;

impl Recorder {
    fn keep(&self, drawing: Drawing) -> Done {
        self.drawings.borrow_mut().push(drawing);
        Ok(())
    }
}

impl DrawingBackend for Recorder {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Done {
        Ok(())
    }

    fn present(&mut self) -> Done {
        Ok(())
    }

    fn draw_pixel(&mut self, point: BackendCoord, color: BackendColor) -> Done {
        self.keep(Drawing::Fill { from: point, to: (point.0 + 1, point.1 + 1), color: color.rgb })
    }

    fn draw_rect<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S, fill: bool) -> Done {
        assert!(fill, "figures draw filled rectangles only");
        self.keep(Drawing::Fill { from, to, color: style.color().rgb })
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Done {
        let points = path.into_iter().collect();
        self.keep(Drawing::Path { points, color: style.color().rgb, width: style.stroke_width() })
    }

    fn draw_circle<S: BackendStyle>(&mut self, centre: BackendCoord, radius: u32, style: &S, _: bool) -> Done {
        self.keep(Drawing::Dot { centre, radius, color: style.color().rgb })
    }

    fn draw_text<S: BackendTextStyle>(&mut self, words: &str, style: &S, at: BackendCoord) -> Done {
        let anchor = style.anchor();
        let across = match anchor.h_pos {
            HPos::Left => HPosition::Left,
            HPos::Center => HPosition::Center,
            HPos::Right => HPosition::Right,
        };
        let down = match anchor.v_pos {
            VPos::Top => VPosition::Top,
            VPos::Center => VPosition::Center,
            VPos::Bottom => VPosition::Bottom,
        };
        let words = words.to_owned();
        self.keep(Drawing::Text { words, at, size: style.size(), anchor: (across, down), color: style.color().rgb })
    }
}
