//! Any figure, as one thing that can be looked at or taken away.
//!
//! A chart on the page, the image in somebody's talk and the numbers in somebody's table must be the same figure, so it is
//! described once and then drawn, written as SVG or listed as CSV. A trait was rejected: drawing is generic over the backend, so
//! its objects could not be handed around, and the page would compile its plumbing anew for every figure.

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea as _};
use plotters::prelude::DrawingBackend;

use super::pen::Drawn;
use super::svg::{Svg, document};
use super::{Bars, Columns, Curves, Flow, Frame, GridFrame, HeatMap, Matrix, Polar, Race, Scatter, Surface, Theme, csv};
use super::{draw_bars, draw_columns, draw_curves, draw_flow, draw_heat_map, draw_matrix, draw_polar, draw_race, draw_scatter};

/// A figure of this room.
#[derive(Debug, Clone, PartialEq)]
pub enum Picture<'a> {
    /// See [`Curves`].
    Curves(Curves<'a>),
    /// See [`HeatMap`].
    HeatMap(HeatMap<'a>),
    /// See [`Bars`].
    Bars(Bars<'a>),
    /// See [`Race`].
    Race(Race<'a>),
    /// See [`Scatter`].
    Scatter(Scatter<'a>),
    /// See [`Matrix`].
    Matrix(Matrix<'a>),
    /// See [`Polar`].
    Polar(Polar<'a>),
    /// See [`Columns`].
    Columns(Columns<'a>),
    /// See [`Flow`].
    Flow(Flow<'a>),
}

/// What a drawn figure leaves behind for the pointer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    /// The plot of a figure with two axes.
    Plot(Frame),
    /// The cells of a heat map or matrix.
    Grid(GridFrame),
}

impl Place {
    /// The plot, if the figure has axes.
    pub fn frame(self) -> Option<Frame> {
        if let Self::Plot(frame) = self { Some(frame) } else { None }
    }

    /// The cells, if the figure is made of cells.
    pub fn grid(self) -> Option<GridFrame> {
        if let Self::Grid(grid) = self { Some(grid) } else { None }
    }
}

impl Picture<'_> {
    /// Draws the figure, and says where it stands.
    ///
    /// # Errors
    /// Only what the backend reports.
    pub fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>, surface: Surface, theme: &Theme) -> Drawn<Place, DB> {
        match self {
            Self::Curves(curves) => draw_curves(area, surface, theme, curves).map(Place::Plot),
            Self::HeatMap(map) => draw_heat_map(area, surface, theme, map).map(Place::Grid),
            Self::Bars(bars) => draw_bars(area, surface, theme, bars).map(Place::Plot),
            Self::Race(race) => draw_race(area, surface, theme, race).map(Place::Plot),
            Self::Scatter(scatter) => draw_scatter(area, surface, theme, scatter).map(Place::Plot),
            Self::Matrix(matrix) => draw_matrix(area, surface, theme, matrix).map(Place::Grid),
            Self::Polar(polar) => draw_polar(area, surface, theme, polar).map(Place::Plot),
            Self::Columns(columns) => draw_columns(area, surface, theme, columns).map(Place::Plot),
            Self::Flow(flow) => draw_flow(area, surface, theme, flow).map(Place::Plot),
        }
    }

    /// The figure as an SVG document of so many CSS pixels, its words as text.
    ///
    /// # Errors
    /// None that the writing itself could cause.
    pub fn to_svg(
        &self,
        width: u32,
        height: u32,
        theme: &Theme,
    ) -> Result<String, DrawingAreaErrorKind<std::convert::Infallible>> {
        self.svg_on(Svg::surface(width, height), theme, |svg| svg)
    }

    /// [`Picture::to_svg`] through a backend of the caller's that passes everything on to the given one. Figures are compiled once
    /// per backend; a program that draws on another one as well makes both into one type, and has them once.
    ///
    /// # Errors
    /// Only what the caller's backend reports.
    pub fn svg_on<DB: DrawingBackend>(&self, surface: Surface, theme: &Theme, on: impl FnOnce(Svg) -> DB) -> Drawn<String, DB> {
        let (svg, elements) = Svg::new(surface);
        self.draw(&on(svg).into_drawing_area(), surface, theme)?;
        let document = document(surface, &elements.borrow());
        Ok(document)
    }

    /// The figure's numbers as CSV, with a first line that names the columns as the axes do.
    pub fn to_csv(&self) -> String {
        match self {
            Self::Curves(curves) => csv::of_curves(curves),
            Self::HeatMap(map) => csv::of_heat_map(map),
            Self::Bars(bars) => csv::of_bars(bars),
            Self::Race(race) => csv::of_race(race),
            Self::Scatter(scatter) => csv::of_scatter(scatter),
            Self::Matrix(matrix) => csv::of_matrix(matrix),
            Self::Polar(polar) => csv::of_polar(polar),
            Self::Columns(columns) => csv::of_columns(columns),
            Self::Flow(flow) => csv::of_flow(flow),
        }
    }
}
