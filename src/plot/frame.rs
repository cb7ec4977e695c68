//! What a figure leaves behind for the pointer: where its plot stands and which values it spans.
//!
//! Hover, zoom and the time slider's line are drawn outside the figure, on an overlay that moves with the pointer while the
//! figure stays. Without a frame they would have to ask the chart, and the chart to be kept alive. Everything here is in CSS
//! pixels, because pointer events are.

use super::Scale;

/// The pixels to draw on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Surface {
    /// Device pixels across.
    pub width_px: u32,
    /// Device pixels down.
    pub height_px: u32,
    /// Device pixels per CSS pixel; fonts, margins and strokes grow with it.
    pub pixel_ratio: f64,
    /// Larger words and thicker lines, for a projector.
    pub large: bool,
}

impl Surface {
    /// A surface for reading at a desk.
    pub fn new(width_px: u32, height_px: u32, pixel_ratio: f64) -> Self {
        Self { width_px, height_px, pixel_ratio, large: false }
    }

    /// Device pixels per CSS pixel, 1 where the given ratio makes no sense.
    pub(super) fn ratio(&self) -> f64 {
        if self.pixel_ratio.is_finite() && self.pixel_ratio > 0.0 { self.pixel_ratio } else { 1.0 }
    }

    /// Width in CSS pixels.
    pub(super) fn width(&self) -> f64 {
        f64::from(self.width_px) / self.ratio()
    }

    /// Height in CSS pixels.
    pub(super) fn height(&self) -> f64 {
        f64::from(self.height_px) / self.ratio()
    }
}

/// The plot of a figure with two axes, in CSS pixels from the surface's upper left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
    /// Values at the left and right edge.
    pub x: (f64, f64),
    /// How x is spread.
    pub x_scale: Scale,
    /// Values at the lower and upper edge.
    pub y: (f64, f64),
    /// How y is spread.
    pub y_scale: Scale,
}

impl Frame {
    /// The x value under a pixel column.
    pub fn x_at(&self, css_px: f64) -> f64 {
        self.x_scale.value_at(self.x, (css_px - self.left) / self.width)
    }

    /// The y value at a pixel row.
    pub fn y_at(&self, css_px: f64) -> f64 {
        self.y_scale.value_at(self.y, 1.0 - (css_px - self.top) / self.height)
    }

    /// The pixel column of an x value; NaN where the scale has no place for it.
    pub fn px_of_x(&self, value: f64) -> f64 {
        self.left + self.x_scale.position(self.x, value) * self.width
    }

    /// The pixel row of a y value; NaN where the scale has no place for it.
    pub fn px_of_y(&self, value: f64) -> f64 {
        self.top + (1.0 - self.y_scale.position(self.y, value)) * self.height
    }
}

/// The cells of a heat map, in CSS pixels from the surface's upper left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GridFrame {
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
    /// Rows of the matrix.
    pub rows: usize,
    /// Columns of the matrix.
    pub columns: usize,
    /// Whether row 0 is the uppermost.
    pub origin_top: bool,
}

impl GridFrame {
    /// Row and column of the cell under a point, if there is one.
    pub fn cell_at(&self, x: f64, y: f64) -> Option<(usize, usize)> {
        let (across, down) = ((x - self.left) / self.width, (y - self.top) / self.height);
        if !(0.0..1.0).contains(&across) || !(0.0..1.0).contains(&down) || self.rows == 0 || self.columns == 0 {
            return None;
        }
        let row = ((down * self.rows as f64) as usize).min(self.rows - 1);
        let column = ((across * self.columns as f64) as usize).min(self.columns - 1);
        Some((if self.origin_top { row } else { self.rows - 1 - row }, column))
    }
}
