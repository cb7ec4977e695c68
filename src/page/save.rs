//! A figure as a file: the picture for a talk, the drawing for a paper, the numbers for whoever doubts both.
//!
//! What is on the canvas may be out of date, because charts rest while they cannot be seen, and has the width of a phone on a
//! phone. So a file is made from the figure's data at the moment it is asked for, in the size it has on the page, or in a usual
//! one where it has none.

use super::chart::{Figure, prepare};
use super::paper::Paper;
use super::popover::{close, popover};
use super::share::{file_name, offer};
use super::store::Lab;
use crate::plot::{Picture, Surface, Svg, Theme};
use crate::record::UserError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leptos::html::Details;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::HtmlCanvasElement;

/// What figures can be saved as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Png,
    Svg,
    Csv,
}

impl Format {
    /// Ending, media type, and what it is for.
    fn facts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Png => ("png", "image/png", "PNG, for slides"),
            Self::Svg => ("svg", "image/svg+xml", "SVG, for print"),
            Self::Csv => ("csv", "text/csv", "CSV, the numbers"),
        }
    }
}

/// What a file is made from.
#[derive(Clone)]
pub(super) struct Saved {
    /// The figure's id, which begins the ids of its buttons.
    pub(super) id: String,
    /// The file's name without its ending.
    pub(super) stem: StoredValue<Box<dyn Fn() -> String>, LocalStorage>,
    /// Hands over the figure.
    pub(super) figure: StoredValue<Box<Figure>, LocalStorage>,
    /// CSS pixels on the page; 0 while it is not laid out.
    pub(super) size: RwSignal<(f64, f64)>,
}

/// A size for what has none on the page.
const USUAL: (f64, f64) = (720.0, 400.0);
/// A picture is looked at on screens finer than this one.
const LEAST_PNG_RATIO: f64 = 2.0;

/// The button and its three choices.
pub(super) fn save_menu(lab: Lab, saved: Saved) -> AnyView {
    let card = NodeRef::<Details>::new();
    let choices: Vec<_> = [Format::Png, Format::Svg, Format::Csv]
        .into_iter()
        .map(|format| {
            let (ending, _, words) = format.facts();
            let id = format!("{}-{ending}", saved.id);
            let saved = saved.clone();
            let choose = move |_| {
                save(lab, &saved, format);
                close(card);
            };
            view! { <button type="button" class="small-button quiet" id=id on:click=choose>{words}</button> }
        })
        .collect();
    let label = format!("Save {}", saved.id.replace('-', " "));
    let content = view! {
        <summary id=format!("{}-save", saved.id) aria-label=label>"Save"</summary>
        <div class="choices">{choices}</div>
    };
    popover("menu save", card, content.into_any())
}

fn save(lab: Lab, saved: &Saved, format: Format) {
    let (ending, media, _) = format.facts();
    let (width, height) = match saved.size.get_untracked() {
        (width, height) if width >= 1.0 && height >= 1.0 => (width, height),
        _ => USUAL,
    };
    let theme = if lab.dark.get_untracked() { Theme::dark() } else { Theme::light() };
    let mut made = None;
    let stem = untrack(|| {
        saved.figure.try_with_value(|figure| {
            figure(&mut |picture| {
                made = Some(made_as(format, picture, (width, height), &theme));
                None
            });
        })?;
        saved.stem.try_with_value(|stem| stem())
    });
    match made {
        Some(Ok(bytes)) => {
            let name = file_name(&stem.unwrap_or_else(|| saved.id.clone()));
            offer(lab, &format!("{name}.{ending}"), media, &bytes);
        }
        Some(Err(error)) => {
            lab.fail(UserError::new(
                format!("The figure could not be saved ({error})"),
                "Try another format, or a smaller window",
            ));
        }
        None => lab.announcement.set("There is nothing to save yet".into()),
    }
}

/// The file's content.
fn made_as(format: Format, picture: &Picture<'_>, (width, height): (f64, f64), theme: &Theme) -> Result<Vec<u8>, String> {
    match format {
        Format::Csv => Ok(picture.to_csv().into_bytes()),
        Format::Svg => {
            let surface = Svg::surface(width.round() as u32, height.round() as u32);
            picture.svg_on(surface, theme, Paper::Svg).map(String::into_bytes).map_err(|error| error.to_string())
        }
        Format::Png => {
            let ratio = super::chart::pixel_ratio().max(LEAST_PNG_RATIO);
            let surface = Surface::new((width * ratio).round() as u32, (height * ratio).round() as u32, ratio);
            let canvas = blank_canvas().ok_or("this browser gave no canvas")?;
            let area = prepare(&canvas, surface).ok_or("this browser gave no canvas")?;
            picture.draw(&area, surface, theme).map_err(|error| error.to_string())?;
            let address = canvas.to_data_url().map_err(|error| super::port::words(&error))?;
            let (_, data) = address.split_once("base64,").ok_or("the picture is too large for this browser")?;
            STANDARD.decode(data).map_err(|error| error.to_string())
        }
    }
}

fn blank_canvas() -> Option<HtmlCanvasElement> {
    web_sys::window()?.document()?.create_element("canvas").ok()?.dyn_into().ok()
}
