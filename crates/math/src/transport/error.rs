use super::Plan;

/// Why a transport problem has no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TransportError {
    /// A cost matrix that is not n × m.
    #[error("a cost matrix of {n} rows and {m} columns holds {} numbers, got {got}", .n * .m)]
    Shape {
        /// The rows.
        n: usize,
        /// The columns.
        m: usize,
        /// The numbers given.
        got: usize,
    },
    /// One of the two sets is empty.
    #[error("transport needs at least one point on either side, got {n} and {m}")]
    Empty {
        /// Points of the first set.
        n: usize,
        /// Points of the second set.
        m: usize,
    },
    /// A cost, or a point, is not finite.
    #[error("the cost of row {row}, column {column} must be finite, got {value}")]
    Cost {
        /// The row.
        row: usize,
        /// The column.
        column: usize,
        /// The value.
        value: f64,
    },
    /// Not one weight per row or column.
    #[error("{side} needs one weight for each of its {expected} points, got {got}")]
    WeightCount {
        /// Which side.
        side: &'static str,
        /// Its points.
        expected: usize,
        /// The weights given.
        got: usize,
    },
    /// A weight is negative or not finite, or all are 0.
    #[error("{side} needs finite weights of at least 0, not all 0; weight {at} is {value}")]
    Weight {
        /// Which side.
        side: &'static str,
        /// The weight, counted from 0.
        at: usize,
        /// The value given.
        value: f64,
    },
    /// Two total weights that differ, where all of one side must reach the other.
    #[error(
        "the weights of the two sides must have the same total, got {a} and {b}; Unbalanced takes any"
    )]
    Totals {
        /// The total of the rows.
        a: f64,
        /// The total of the columns.
        b: f64,
    },
    /// A parameter outside its range.
    #[error("{name} must be {range}, got {value}")]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// What is allowed.
        range: &'static str,
        /// The value given.
        value: f64,
    },
    /// ε so small beside the costs that 64-bit numbers cannot hold the iteration.
    #[error(
        "epsilon = {epsilon} is too small for costs up to {largest}: it must be at least {}; \
         the exact assignment is the limit of small epsilon", .largest * 1e-11
    )]
    Epsilon {
        /// The value given.
        epsilon: f64,
        /// The largest cost in size.
        largest: f64,
    },
    /// The iteration ended before its tolerance was met. The plan it had reached is inside.
    #[error(
        "no convergence after {} iterations: the error is {error:e}, the tolerance {tolerance:e}; \
         allow more iterations, or take a larger epsilon", .plan.iterations
    )]
    NotConverged {
        /// The error that was to fall below the tolerance.
        error: f64,
        /// The tolerance.
        tolerance: f64,
        /// Where the iteration ended.
        plan: Box<Plan>,
    },
    /// An unbalanced plan that destroys everything.
    #[error(
        "the unbalanced plan carries no mass: rho = {rho} is too small for the costs, raise it"
    )]
    NoMass {
        /// ρ as an absolute number.
        rho: f64,
    },
    /// A batch whose slices do not fit each other.
    #[error(
        "a batch of points of dimension {dim} needs equally many whole points on both sides, got {x0} and {x1} numbers"
    )]
    Batch {
        /// Numbers per point.
        dim: usize,
        /// Numbers in x₀.
        x0: usize,
        /// Numbers in x₁.
        x1: usize,
    },
    /// Not one label per point.
    #[error("{side} has {expected} points but {got} labels")]
    LabelCount {
        /// Which side.
        side: &'static str,
        /// Its points.
        expected: usize,
        /// The labels given.
        got: usize,
    },
    /// A class-aware coupling without labels.
    #[error("a class-aware coupling needs the labels of x1, got none")]
    NoLabels,
    /// A class that cannot be paired within itself.
    #[error("class {label} has {x0} points in x0 and {x1} in x1, {need}")]
    Class {
        /// The class.
        label: u32,
        /// Its points in x₀.
        x0: usize,
        /// Its points in x₁.
        x1: usize,
        /// What the method needs.
        need: &'static str,
    },
    /// Too few random numbers.
    #[error("drawing {expected} pairs takes as many uniform numbers, got {got}")]
    Uniforms {
        /// The pairs.
        expected: usize,
        /// The numbers given.
        got: usize,
    },
}
