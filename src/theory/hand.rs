//! Points of a figure that a hand may move, because they are settings.
//!
//! A page knows no panel by its type, and a panel no page: so a panel says where its points are and what its settings become when
//! one is touched, and whoever draws the figure offers the handles.

/// A point that can be moved, with the side it is on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Handle {
    /// `(x, y)` in the figure.
    pub place: (f64, f64),
    /// Whether its side is +.
    pub is_plus: bool,
}

/// What a hand does to a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Touch {
    /// Puts it elsewhere.
    Move((f64, f64)),
    /// Puts it on the other side.
    Flip,
    /// Takes it away.
    Remove,
    /// Adds one like it beside it.
    Add,
}
