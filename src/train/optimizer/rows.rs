//! Settings that several update rules share.
//!
//! Rows that are equal in everything merge into one control, and their value is kept when the rule changes; written out in each
//! rule they would drift apart and a change of rule would reset them.

use crate::experiment::field::{Field, FieldKind, above};

/// β₁ and β₂ of the Adam family.
pub(super) const BETAS: Field = Field::new(
    "optimizer.betas",
    "Betas",
    "Decay per update of the first and second moment",
    FieldKind::Numbers { count: 2, min: 0.0, max: 1.0 },
)
.starts("0.9,0.98")
.live();

/// ε of the Adam family.
pub(super) const EPSILON: Field =
    Field::new("optimizer.epsilon", "Epsilon", "Added to the root of the second moment", above(0.0, 1.0)).starts("1e-8").live();

/// The range of a decay per update.
pub(super) const SHARE: FieldKind = FieldKind::Number { min: 0.0, max: 1.0, min_exclusive: false, max_exclusive: true };
