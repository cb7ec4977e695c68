//! A backend that keeps what is drawn, for tests: an SVG would have to be read again before one could ask it anything.

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea as _};
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind};

use super::Surface;

/// Something drawn, in device pixels.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Drawing {
    Fill { from: BackendCoord, to: BackendCoord, color: (u8, u8, u8) },
    Path { points: Vec<BackendCoord>, color: (u8, u8, u8), width: u32 },
    Area { corners: Vec<BackendCoord>, color: (u8, u8, u8), opacity: f64 },
    Dot { centre: BackendCoord, radius: u32, color: (u8, u8, u8) },
    Text { words: String, at: BackendCoord, size: f64, color: (u8, u8, u8) },
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

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, corners: I, style: &S) -> Done {
        let color = style.color();
        self.keep(Drawing::Area { corners: corners.into_iter().collect(), color: color.rgb, opacity: color.alpha })
    }

    fn draw_circle<S: BackendStyle>(&mut self, centre: BackendCoord, radius: u32, style: &S, _: bool) -> Done {
        self.keep(Drawing::Dot { centre, radius, color: style.color().rgb })
    }

    fn draw_text<S: BackendTextStyle>(&mut self, words: &str, style: &S, at: BackendCoord) -> Done {
        let words = words.to_owned();
        self.keep(Drawing::Text { words, at, size: style.size(), color: style.color().rgb })
    }
}
