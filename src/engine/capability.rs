//! Which engine computes, and why: decided once per engine from plain facts, so that the decision can be tested without a GPU.

use serde::{Deserialize, Serialize};

/// An engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineKind {
    /// burn's `flex` backend with SIMD: exact and repeatable.
    Cpu,
    /// burn on WebGPU (or Vulkan, Metal, DX12 natively): approximate, device-dependent.
    Gpu,
}

/// What the user asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineWish {
    /// The faster trusted one.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The GPU, also a software one; refused if the self-test fails.
    Gpu,
}

/// What the browser says about its WebGPU adapter.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AdapterReport {
    /// `GPUAdapterInfo`: vendor, architecture and description, joined.
    pub name: String,
    /// `isFallbackAdapter`, or a known software renderer by name (SwiftShader, llvmpipe, WARP).
    pub software: bool,
    /// The `timestamp-query` feature: without it the GPU runtime stops at once.
    pub timestamp_query: bool,
    /// `maxStorageBuffersPerShaderStage`.
    pub max_storage_buffers: u32,
    /// `maxStorageBufferBindingSize`, bytes.
    pub max_binding_bytes: u64,
}

/// What an engine process can do, told once when it is ready.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Capability {
    /// The adapter, if the browser gave one.
    pub adapter: Option<AdapterReport>,
    /// Whether the GPU may be chosen automatically.
    pub gpu_usable: bool,
    /// One sentence for each fact that decided, in the order found.
    pub reasons: Vec<String>,
    /// Crate version and target, e.g. `0.1.0 wasm32`.
    pub build: String,
}

/// The engine chosen for a run or fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EngineChoice {
    /// The engine.
    pub kind: EngineKind,
    /// For people and for the record: `CPU (wasm, SIMD)`, `GPU (nvidia ada-lovelace)`.
    pub label: String,
    /// Whether results repeat bit for bit on any machine with this build.
    pub exact: bool,
    /// Why, one sentence each.
    pub reasons: Vec<String>,
}
