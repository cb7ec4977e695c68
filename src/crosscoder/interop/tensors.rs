//! A safetensors file from elsewhere, opened with suspicion.
//!
//! Weights published by others come in four float types, with extra tensors that change the result (scales, masks) and under
//! names that mean another shape. A tensor that is not understood is refused, not skipped: a skipped scale gives numbers that
//! look plausible and are wrong. [`crate::record::Weights`] reads only what this program wrote.

use crate::record::UserError;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

/// The tensors of one file; values are decoded when asked for.
pub(super) struct Tensors<'a>(SafeTensors<'a>);

impl<'a> Tensors<'a> {
    /// # Errors
    /// If the bytes are pickled, cut off, or no safetensors file.
    pub fn open(bytes: &'a [u8]) -> Result<Self, UserError> {
        // The length of a header can look like the first bytes of a pickle, so those only explain what could not be read.
        SafeTensors::deserialize(bytes).map(Self).map_err(|error| refusal(bytes, &error.to_string()))
    }

    /// Names in alphabetical order.
    pub fn names(&self) -> Vec<&str> {
        let mut names = self.0.names();
        names.sort_unstable();
        names
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.tensor(name).is_ok()
    }

    /// Sizes, outermost first; empty for a single number and for a tensor that is not there.
    pub fn shape(&self, name: &str) -> Vec<usize> {
        self.0.tensor(name).map(|view| view.shape().to_vec()).unwrap_or_default()
    }

    /// Values of a float tensor of any precision, rounded to f32.
    ///
    /// # Errors
    /// If it is missing or holds another type.
    pub fn floats(&self, name: &str) -> Result<Vec<f32>, UserError> {
        let view = self.view(name)?;
        floats(&view).ok_or_else(|| {
            UserError::new(format!("Tensor {name} holds {:?}, not floating-point numbers", view.dtype()), "Save it as float32")
        })
    }

    /// The same, of a given shape.
    ///
    /// # Errors
    /// Also if the shape is another one.
    pub fn shaped(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, UserError> {
        let found = self.view(name)?.shape().to_vec();
        if found != shape {
            return Err(UserError::new(
                format!("Tensor {name} has the shape {found:?} where the others ask for {shape:?}"),
                "Check the order of its axes",
            ));
        }
        self.floats(name)
    }

    /// Sizes of a tensor with three axes, none of them 0.
    ///
    /// # Errors
    /// If it is missing, or of another number of axes, or empty.
    pub fn three_axes(&self, name: &str) -> Result<[usize; 3], UserError> {
        match *self.view(name)?.shape() {
            [s, d, m] if s * d * m > 0 => Ok([s, d, m]),
            ref other => Err(UserError::new(
                format!("Tensor {name} has the shape {other:?}, not three axes of at least 1"),
                "Save it as [source, width, latent]",
            )),
        }
    }

    /// Whole numbers from 0 to 65,535: integers, booleans, or floats without a fraction.
    ///
    /// # Errors
    /// If it is missing, or holds another number.
    pub fn whole(&self, name: &str) -> Result<Vec<u16>, UserError> {
        let view = self.view(name)?;
        let values = integers(&view).or_else(|| floats(&view).map(|values| values.into_iter().map(f64::from).collect()));
        let whole = |value: &f64| (0.0..=65_535.0).contains(value) && value.fract() == 0.0;
        match values {
            Some(values) if values.iter().all(whole) => Ok(values.into_iter().map(|value| value as u16).collect()),
            _ => Err(UserError::new(
                format!("Tensor {name} does not hold whole numbers from 0 to 65535"),
                "Save it as int32 without negative numbers",
            )),
        }
    }

    /// Refuses a file with a tensor that `known` does not know.
    ///
    /// # Errors
    /// Names the tensor.
    pub fn only(&self, layout: &str, known: impl Fn(&str) -> bool) -> Result<(), UserError> {
        match self.names().into_iter().find(|name| !known(name)) {
            None => Ok(()),
            Some(name) => Err(UserError::new(
                format!("Tensor {name} does not belong to {layout}, and leaving it out could change every number"),
                "Fold it into the weights or remove it before saving",
            )),
        }
    }

    fn view(&self, name: &str) -> Result<TensorView<'_>, UserError> {
        self.0.tensor(name).map_err(|_| {
            UserError::new(
                format!("There is no tensor {name}; the file holds {}", self.names().join(", ")),
                "Save it under that name",
            )
        })
    }
}

fn refusal(bytes: &[u8], error: &str) -> UserError {
    let pickle = "In Python: safetensors.torch.save_file(torch.load(path, weights_only=True), \"weights.safetensors\")";
    if bytes.starts_with(b"PK") {
        UserError::new("This is a zip file, such as torch.save and numpy.savez write; pickled code in it is never run", pickle)
    } else if bytes.first() == Some(&0x80) {
        UserError::new("This is a pickle; reading one would run the code in it", pickle)
    } else {
        UserError::new(
            format!("This is no whole safetensors file ({error})"),
            "Save it with safetensors, and check that it was copied to the end",
        )
    }
}

fn floats(view: &TensorView) -> Option<Vec<f32>> {
    let bytes = view.data();
    let pairs = || bytes.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]]));
    match view.dtype() {
        Dtype::F32 => Some(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()),
        Dtype::F64 => Some(words(bytes).map(|word| f64::from_bits(word) as f32).collect()),
        Dtype::BF16 => Some(pairs().map(|bits| f32::from_bits(u32::from(bits) << 16)).collect()),
        Dtype::F16 => Some(pairs().map(from_half).collect()),
        _ => None,
    }
}

fn integers(view: &TensorView) -> Option<Vec<f64>> {
    let bytes = view.data();
    let quads = || bytes.chunks_exact(4).map(|b| [b[0], b[1], b[2], b[3]]);
    let pairs = || bytes.chunks_exact(2).map(|b| [b[0], b[1]]);
    match view.dtype() {
        Dtype::BOOL | Dtype::U8 => Some(bytes.iter().map(|&b| f64::from(b)).collect()),
        Dtype::I8 => Some(bytes.iter().map(|&b| f64::from(b.cast_signed())).collect()),
        Dtype::U16 => Some(pairs().map(|b| f64::from(u16::from_le_bytes(b))).collect()),
        Dtype::I16 => Some(pairs().map(|b| f64::from(i16::from_le_bytes(b))).collect()),
        Dtype::U32 => Some(quads().map(|b| f64::from(u32::from_le_bytes(b))).collect()),
        Dtype::I32 => Some(quads().map(|b| f64::from(i32::from_le_bytes(b))).collect()),
        Dtype::U64 => Some(words(bytes).map(|word| word as f64).collect()),
        Dtype::I64 => Some(words(bytes).map(|word| word.cast_signed() as f64).collect()),
        _ => None,
    }
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.chunks_exact(8).map(|b| u64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]))
}

/// IEEE 754 binary16.
fn from_half(bits: u16) -> f32 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    let size = match exponent {
        0 => fraction * 2f32.powi(-24),
        31 => {
            if fraction > 0.0 {
                f32::NAN
            } else {
                f32::INFINITY
            }
        }
        _ => (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    };
    if bits >> 15 == 1 { -size } else { size }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::record::{NamedTensor, Weights};

    /// A file of f32 tensors.
    pub fn file(tensors: &[(&str, &[usize], &[f32])]) -> Vec<u8> {
        let tensors = tensors
            .iter()
            .map(|(name, shape, values)| NamedTensor { name: (*name).into(), shape: shape.to_vec(), values: values.to_vec() })
            .collect();
        Weights { tensors }.to_safetensors(None).unwrap()
    }

    /// A file of one tensor of any type.
    pub fn typed(name: &str, dtype: Dtype, shape: &[usize], bytes: &[u8]) -> Vec<u8> {
        safetensors::serialize([(name, TensorView::new(dtype, shape.to_vec(), bytes).unwrap())], None).unwrap()
    }

    #[test]
    fn pickled_zipped_and_truncated_files_are_refused_by_name() {
        let cause = |bytes: &[u8]| Tensors::open(bytes).map(|_| ()).unwrap_err().cause;
        assert!(cause(b"PK\x03\x04rest of a torch file").contains("zip"));
        assert!(cause(b"\x80\x04\x95rest of a pickle").contains("pickle"));
        assert!(cause(b"").contains("no whole safetensors"));
        let whole = file(&[("x", &[2], &[1.0, 2.0])]);
        assert!(cause(&whole[..whole.len() - 1]).contains("no whole safetensors"));
        assert!(cause(b"\x93NUMPY\x01\x00 and so on").contains("no whole safetensors"));
    }

    #[test]
    fn a_safetensors_file_whose_header_length_looks_like_a_pickle_is_read() {
        // A header of 128 bytes starts with 0x80.
        let name = "x".repeat(128 - r#"{"":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#.len() - 3);
        let bytes = file(&[(&name, &[1], &[1.5])]);
        assert_eq!(bytes[0], 0x80);
        assert_eq!(Tensors::open(&bytes).unwrap().floats(&name).unwrap(), [1.5]);
    }

    #[test]
    fn every_float_type_is_read() {
        let values = |dtype, bytes: &[u8]| Tensors::open(&typed("x", dtype, &[1], bytes)).unwrap().floats("x");
        assert_eq!(values(Dtype::F64, &(-0.75f64).to_le_bytes()).unwrap(), [-0.75]);
        assert_eq!(values(Dtype::BF16, &[0x40, 0xbf]).unwrap(), [-0.75]);
        // Published binary16 patterns: 1/3 rounded, the smallest subnormal, −∞.
        assert_eq!(values(Dtype::F16, &[0x55, 0x35]).unwrap(), [0.333_251_95]);
        assert_eq!(values(Dtype::F16, &[0x01, 0x00]).unwrap(), [2f32.powi(-24)]);
        assert_eq!(values(Dtype::F16, &[0x00, 0xfc]).unwrap(), [f32::NEG_INFINITY]);
        assert!(values(Dtype::I32, &[1, 0, 0, 0]).unwrap_err().cause.contains("I32"));
    }

    #[test]
    fn whole_numbers_are_read_from_integers_and_whole_floats() {
        let values = |dtype, bytes: &[u8]| Tensors::open(&typed("x", dtype, &[1], bytes)).unwrap().whole("x");
        assert_eq!(values(Dtype::I64, &112i64.to_le_bytes()).unwrap(), [112]);
        assert_eq!(values(Dtype::F32, &58f32.to_le_bytes()).unwrap(), [58]);
        assert_eq!(values(Dtype::BOOL, &[1]).unwrap(), [1]);
        assert!(values(Dtype::I32, &(-1i32).to_le_bytes()).is_err());
        assert!(values(Dtype::F32, &0.5f32.to_le_bytes()).is_err());
        assert!(values(Dtype::U32, &70_000u32.to_le_bytes()).is_err());
    }
}
