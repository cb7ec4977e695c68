//! What happened inside: pure functions from weights, logits, activations and curves to numbers.
