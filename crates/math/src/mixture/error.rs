/// Why parameters do not make a mixture.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MixtureError {
    /// No component, or dimension 0.
    #[error(
        "a Gaussian mixture needs at least one component and dimension, \
         got {components} components in dimension {dim}"
    )]
    Empty {
        /// The number of weights given.
        components: usize,
        /// The dimension given.
        dim: usize,
    },
    /// The numbers of weights, means and standard deviations do not fit together.
    #[error(
        "a Gaussian mixture of {components} components in dimension {dim} needs {} mean \
         coordinates and {components} standard deviations, got {means} and {stds}",
        .components * .dim
    )]
    Lengths {
        /// The number of weights given.
        components: usize,
        /// The dimension given.
        dim: usize,
        /// The number of mean coordinates given.
        means: usize,
        /// The number of standard deviations given.
        stds: usize,
    },
    /// A weight or a standard deviation is not positive and finite, or a mean is not finite.
    #[error("component {component} of a Gaussian mixture: its {what} must be {range}, got {value}")]
    Value {
        /// The component, counted from 0.
        component: usize,
        /// The parameter's name.
        what: &'static str,
        /// What would be right.
        range: &'static str,
        /// The value given.
        value: f64,
    },
    /// Not one label per component.
    #[error("a Gaussian mixture of {components} components needs as many labels, got {labels}")]
    Labels {
        /// The number of components.
        components: usize,
        /// The number of labels given.
        labels: usize,
    },
    /// The two ends of a path live in different spaces.
    #[error("a path from dimension {init} to dimension {data}: both ends must be of one dimension")]
    Dimensions {
        /// The dimension of p_init.
        init: usize,
        /// The dimension of p_data.
        data: usize,
    },
    /// No component has this label.
    #[error(
        "no component of the Gaussian mixture has the label {label}; {}",
        if .known.is_empty() {
            "it has no labels: give it some with `with_labels`".to_owned()
        } else {
            format!("its labels are {known:?}")
        }
    )]
    Label {
        /// The label asked for.
        label: u32,
        /// The labels there are, in ascending order.
        known: Vec<u32>,
    },
}

impl MixtureError {
    /// A weight that is not positive and finite.
    pub(crate) fn weight(component: usize, value: f64) -> MixtureError {
        MixtureError::Value {
            component,
            what: "weight",
            range: "positive and finite",
            value,
        }
    }
}
