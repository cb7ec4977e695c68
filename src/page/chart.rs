//! A figure of the `plot` room on a canvas of the page.
//!
//! plotters knows neither device pixels nor the page: without this a chart is blurred on every phone and stays light in a dark
//! page. A chart is drawn anew when a signal it reads, its size or the appearance changes, and only while it can be seen;
//! several changes before the next frame are one drawing, because events come once per frame (see `port`). What follows the
//! pointer is laid over the canvas as elements, so that moving it draws nothing.
//!
//! A view hands over what its figure is and never draws: so the same data can be drawn, saved and listed (see `save`).

use super::live::text;
use super::paper::Paper;
use super::save::{Saved, save_menu};
use super::store::Lab;
use crate::plot::{Picture, Place, Surface, Theme};
use leptos::html::Canvas;
use leptos::prelude::*;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters_canvas::CanvasBackend;
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, IntersectionObserver, IntersectionObserverEntry, ResizeObserver};

/// What a figure is handed to: it is drawn on the page, which returns where it stands, or saved, which returns nothing.
pub(super) type Show<'a> = dyn FnMut(&Picture<'_>) -> Option<Place> + 'a;

/// Hands over a figure; its data may be borrowed from signals.
pub(super) type Figure = dyn Fn(&mut Show<'_>);

/// A canvas, and the menu that saves what is on it.
pub(super) struct Sheet {
    body: AnyView,
    save: AnyView,
}

impl Sheet {
    /// The same with an element around the canvas.
    pub(super) fn within(self, wrap: impl FnOnce(AnyView) -> AnyView) -> Self {
        Self { body: wrap(self.body), ..self }
    }

    /// The canvas alone, for a small picture within another figure.
    pub(super) fn bare(self) -> AnyView {
        self.body
    }
}

/// Backends take whole pixels, so lines are smooth only if a CSS pixel has at least two each way.
const LEAST_PIXEL_RATIO: f64 = 2.0;

/// A canvas with what `figure` hands over, and `overlay` on top; `label` tells in words what it shows. The overlay lets the
/// pointer through: listen on an element around the sheet, where offsets are those of the canvas. Files are named after the
/// experiment and the figure.
pub(super) fn sheet(
    lab: Lab,
    id: &'static str,
    label: impl FnMut() -> String + Send + 'static,
    figure: impl Fn(&mut Show<'_>) + 'static,
    overlay: AnyView,
) -> Sheet {
    boxed_sheet(lab, id.to_owned(), text(label), Box::new(figure), Box::new(move || of_experiment(lab, id)), overlay)
}

/// [`sheet`] whose files have another name, for figures that show one of many things: one step, one latent. `stem` has no ending.
pub(super) fn named_sheet(
    lab: Lab,
    id: impl Into<String>,
    label: impl FnMut() -> String + Send + 'static,
    stem: impl Fn() -> String + 'static,
    figure: impl Fn(&mut Show<'_>) + 'static,
    overlay: AnyView,
) -> Sheet {
    boxed_sheet(lab, id.into(), text(label), Box::new(figure), Box::new(stem), overlay)
}

/// The name of a file about the run on the page.
pub(super) fn of_experiment(lab: Lab, what: &str) -> String {
    format!("{}-{what}", lab.shown_experiment().name)
}

/// Sets a signal to where a figure stands, if it has moved: whatever follows the figure would be laid out anew.
pub(super) fn keep<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<Option<T>>, place: Option<T>) {
    if place.is_some() && signal.with_untracked(|known| *known != place) {
        signal.set(place);
    }
}

/// Device pixels per CSS pixel of this screen.
pub(super) fn pixel_ratio() -> f64 {
    web_sys::window().map_or(1.0, |window| window.device_pixel_ratio())
}

/// [`sheet`], compiled once for all charts.
fn boxed_sheet(
    lab: Lab,
    id: String,
    label: Box<dyn FnMut() -> String + Send>,
    figure: Box<Figure>,
    stem: Box<dyn Fn() -> String>,
    overlay: AnyView,
) -> Sheet {
    let figure = StoredValue::new_local(figure);
    let canvas = NodeRef::<Canvas>::new();
    let size = RwSignal::new((0.0, 0.0));
    let seen = RwSignal::new(false);
    let watch = StoredValue::new_local(None);
    Effect::new(move |_| {
        if let Some(canvas) = canvas.get() {
            watch.set_value(Watch::new(&canvas, size, seen).ok());
        }
    });
    Effect::new(move |_| {
        let (width, height) = size.get();
        let theme = if lab.dark.get() { Theme::dark() } else { Theme::light() };
        let Some(canvas) = canvas.get() else { return };
        if !seen.get() || width < 1.0 || height < 1.0 {
            return;
        }
        let ratio = pixel_ratio().max(LEAST_PIXEL_RATIO);
        let surface = Surface::new((width * ratio).round() as u32, (height * ratio).round() as u32, ratio);
        if let Some(area) = prepare(&canvas, surface) {
            let mut draw = |picture: &Picture<'_>| match picture.draw(&area, surface, &theme) {
                Ok(place) => Some(place),
                Err(error) => {
                    leptos::logging::error!("{error}");
                    None
                }
            };
            // Gone together with the view; then there is nobody to draw for.
            let _ = figure.try_with_value(|figure| figure(&mut draw));
        }
    });
    let body = view! {
        <div class="sheet">
            <canvas node_ref=canvas id=id.clone() role="img" aria-label=label></canvas>
            {overlay}
        </div>
    };
    let saved = Saved { id, stem: StoredValue::new_local(stem), figure, size };
    Sheet { body: body.into_any(), save: save_menu(lab, saved) }
}

/// A figure with a title, controls and one sentence on how to read it.
pub(super) fn figure(title: impl Into<String>, controls: AnyView, sheet: Sheet, caption: AnyView) -> AnyView {
    let title: String = title.into();
    view! {
        <figure class="figure">
            <div class="figure-head"><h2>{title}</h2>{controls}{sheet.save}</div>
            {sheet.body}
            <figcaption>{caption}</figcaption>
        </figure>
    }
    .into_any()
}

/// Two buttons of which one is pressed.
pub(super) fn switch(label: &'static str, options: [&'static str; 2], second: RwSignal<bool>) -> AnyView {
    view! {
        <div class="row">
            <span class="small muted" aria-hidden="true">{label}</span>
            <div class="switch" role="group" aria-label=label>
                <button type="button" aria-pressed=text(move || (!second.get()).to_string()) on:click=move |_| second.set(false)>{options[0]}</button>
                <button type="button" aria-pressed=text(move || second.get().to_string()) on:click=move |_| second.set(true)>{options[1]}</button>
            </div>
        </div>
    }
    .into_any()
}

/// Sizes a canvas for a surface, and makes it something to draw on.
pub(super) fn prepare(canvas: &HtmlCanvasElement, surface: Surface) -> Option<DrawingArea<Paper, Shift>> {
    if canvas.width() != surface.width_px || canvas.height() != surface.height_px {
        canvas.set_width(surface.width_px);
        canvas.set_height(surface.height_px);
    }
    let context: CanvasRenderingContext2d = canvas.get_context("2d").ok()??.dyn_into().ok()?;
    context.set_line_join("round");
    context.set_line_cap("round");
    Some(Paper::Canvas(CanvasBackend::with_canvas_object(canvas.clone())?).into_drawing_area())
}

/// Follows a canvas' size and visibility until dropped.
struct Watch {
    resize: ResizeObserver,
    intersection: IntersectionObserver,
    _on_resize: Closure<dyn FnMut()>,
    _on_intersection: Closure<dyn FnMut(js_sys::Array)>,
}

impl Watch {
    fn new(canvas: &HtmlCanvasElement, size: RwSignal<(f64, f64)>, seen: RwSignal<bool>) -> Result<Self, JsValue> {
        let element = canvas.clone();
        let measure = move || {
            let rectangle = element.get_bounding_client_rect();
            let now = (rectangle.width(), rectangle.height());
            if size.try_get_untracked().is_some_and(|known| known != now) {
                size.set(now);
            }
        };
        measure();
        let on_resize = Closure::<dyn FnMut()>::new(measure);
        let resize = ResizeObserver::new(on_resize.as_ref().unchecked_ref())?;
        resize.observe(canvas);
        let on_intersection = Closure::<dyn FnMut(js_sys::Array)>::new(move |entries: js_sys::Array| {
            if let Ok(entry) = entries.get(entries.length().saturating_sub(1)).dyn_into::<IntersectionObserverEntry>()
                && seen.try_get_untracked().is_some_and(|known| known != entry.is_intersecting())
            {
                seen.set(entry.is_intersecting());
            }
        });
        let intersection = IntersectionObserver::new(on_intersection.as_ref().unchecked_ref())?;
        intersection.observe(canvas);
        Ok(Self { resize, intersection, _on_resize: on_resize, _on_intersection: on_intersection })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.resize.disconnect();
        self.intersection.disconnect();
    }
}
