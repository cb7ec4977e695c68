//! What figures of the page are drawn on: a canvas, or an SVG document that is to be saved.
//!
//! plotters compiles every figure anew for every backend. As one type, the page carries its figures once. `dyn` was no way out,
//! since the methods of a backend are generic.

use crate::plot::Svg;
use plotters::prelude::DrawingBackend;
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingErrorKind};
use plotters_canvas::CanvasBackend;

/// Either of both.
pub(super) enum Paper {
    Canvas(CanvasBackend),
    Svg(Svg),
}

/// Why something could not be drawn, in the backend's words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Undrawn(String);

type Done = Result<(), DrawingErrorKind<Undrawn>>;

fn told<E: std::error::Error + Send + Sync>(done: Result<(), DrawingErrorKind<E>>) -> Done {
    done.map_err(|error| DrawingErrorKind::DrawingError(Undrawn(error.to_string())))
}

macro_rules! pass {
    ($paper:expr, $method:ident($($argument:expr),*)) => {
        match $paper {
            Paper::Canvas(canvas) => told(canvas.$method($($argument),*)),
            Paper::Svg(svg) => told(svg.$method($($argument),*)),
        }
    };
}

impl DrawingBackend for Paper {
    type ErrorType = Undrawn;

    fn get_size(&self) -> (u32, u32) {
        match self {
            Self::Canvas(canvas) => canvas.get_size(),
            Self::Svg(svg) => svg.get_size(),
        }
    }

    fn ensure_prepared(&mut self) -> Done {
        pass!(self, ensure_prepared())
    }

    fn present(&mut self) -> Done {
        pass!(self, present())
    }

    fn draw_pixel(&mut self, point: BackendCoord, color: BackendColor) -> Done {
        pass!(self, draw_pixel(point, color))
    }

    fn draw_rect<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S, fill: bool) -> Done {
        pass!(self, draw_rect(from, to, style, fill))
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Done {
        pass!(self, draw_path(path, style))
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, corners: I, style: &S) -> Done {
        pass!(self, fill_polygon(corners, style))
    }

    fn draw_circle<S: BackendStyle>(&mut self, centre: BackendCoord, radius: u32, style: &S, fill: bool) -> Done {
        pass!(self, draw_circle(centre, radius, style, fill))
    }

    fn draw_text<S: BackendTextStyle>(&mut self, words: &str, style: &S, at: BackendCoord) -> Done {
        pass!(self, draw_text(words, style, at))
    }
}
