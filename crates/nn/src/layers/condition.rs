use burn::module::Param;
use burn::tensor::Tensor;
use fokker_core::Labels;

use super::{ClassEmbedding, Text, TextEmbedding};

/// What labels say to a network with classes, with texts or with neither: a vector `[batch, width]`, and tokens of texts.
///
/// # Panics
/// If there are classes or texts but no labels.
pub(crate) fn told(
    class: Option<&ClassEmbedding>,
    text: Option<&TextEmbedding>,
    y: Option<Labels>,
) -> (Option<Tensor<2>>, Option<Text>) {
    let labels = |what: &str| match y {
        Some(y) => y,
        None => panic!("this network was made with {what}: give it labels"),
    };
    match (text, class) {
        (Some(text), _) => {
            let text = text.forward(labels("texts"));
            (Some(text.pooled.clone()), Some(text))
        }
        (None, Some(class)) => (Some(class.forward(labels("classes"))), None),
        (None, None) => (None, None),
    }
}

/// Is the network of this parameter in training: on a device with autodiff and not frozen?
pub(crate) fn is_training<const D: usize>(param: &Param<Tensor<D>>) -> bool {
    param.val().device().is_autodiff() && param.is_require_grad()
}
