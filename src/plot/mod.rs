//! How is it drawn? Scales, decimation and figures onto any plotters `DrawingBackend`.
//!
//! Without this room every view would size its own fonts, invent its own blue for "train" and map the pointer back to a step in
//! its own way. plotters' own `ChartBuilder` was not used: it measures text through the document (a forced layout per label), has
//! no direct labels, and gives no map from pixels back to values that survives a device pixel ratio. Figures here place
//! everything in CSS pixels and hand plotters only finished rectangles, paths and words.
//!
//! On a canvas: size it in device pixels (a `pixel_ratio` of at least 2 keeps lines smooth, since backends take whole pixels) and
//! set the context's `lineJoin` to `round` before drawing, which plotters cannot do.

mod areas;
mod axes;
mod axis;
mod bands;
mod bars;
mod columns;
mod csv;
mod curves;
mod decimate;
mod flow;
mod frame;
mod guide;
mod heat_map;
mod labels;
mod line;
#[cfg(test)]
mod mark_tests;
mod matrix;
mod palette;
mod pen;
mod picture;
#[cfg(test)]
mod picture_tests;
mod polar;
mod race;
#[cfg(test)]
mod race_tests;
#[cfg(test)]
mod recorder;
#[cfg(test)]
mod round_tests;
mod scale;
mod scatter;
#[cfg(test)]
mod scatter_tests;
mod svg;
#[cfg(test)]
mod tests;
mod theme;

pub use areas::Area;
pub use axis::{Axis, NumberFormat};
pub use bands::Band;
pub use bars::{Bars, draw_bars};
pub use columns::{Columns, Layer, Slots, draw_columns, log_counts};
pub use curves::{Curves, Mark, Series, draw_curves};
pub use decimate::{decimate, nearest_index};
pub use flow::{Flow, draw_flow};
pub use frame::{Frame, GridFrame, Surface};
pub use guide::{Guide, Key};
pub use heat_map::{HeatMap, draw_heat_map};
pub use matrix::{Matrix, draw_matrix};
pub use palette::Palette;
pub use pen::FONT_FAMILY;
pub use picture::{Picture, Place};
pub use polar::{Polar, draw_polar};
pub use race::{Race, Runner, draw_race};
pub use scale::Scale;
pub use scatter::{Scatter, Stain, Stretch, Window, draw_scatter, nearest_point};
pub use svg::Svg;
pub use theme::{Ink, Theme, css_hex};
