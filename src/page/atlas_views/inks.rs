//! One colour per class, the same in every picture of a fit.

use crate::crosscoder::LatentClass;
use crate::plot::{Ink, Key};

/// The colour of a class: the accent for what was born, since that is what one looks for.
pub(super) fn ink_of(class: LatentClass) -> Ink {
    match class {
        LatentClass::Emergent => Ink::Accent,
        LatentClass::Stable => Ink::Source(0),
        LatentClass::Vanished => Ink::Source(1),
        LatentClass::Rotated => Ink::Source(2),
        LatentClass::Recurrent => Ink::Source(3),
        LatentClass::Transient => Ink::Source(4),
        LatentClass::Unclear => Ink::Source(5),
        LatentClass::Dead => Ink::Baseline,
    }
}

/// The classes among `present`, in their order, with their colours.
pub(super) fn keys_of(present: &[LatentClass]) -> Vec<Key<'static>> {
    let found = LatentClass::ALL.into_iter().filter(|class| present.contains(class));
    found.map(|class| Key { ink: ink_of(class), label: class.name() }).collect()
}
