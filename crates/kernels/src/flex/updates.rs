use super::tensors::{like, row_major, sole_values, tensor, values};
use crate::extension::Updates;
use crate::raw::{Level, adamw};
use burn::backend::Flex;
use burn::backend::flex::FlexTensor;

/// The tensor if nobody else looks at its values, else a copy.
fn sole(t: FlexTensor) -> FlexTensor {
    let mut t = row_major(t);
    match sole_values(&mut t) {
        Some(_) => t,
        None => like(values(&t).to_vec(), &t),
    }
}

fn values_mut(t: &mut FlexTensor) -> &mut [f32] {
    sole_values(t).expect("a tensor that `sole` made nobody else's")
}

impl Updates for Flex {
    fn fused_adamw(
        parameter: FlexTensor,
        gradient: FlexTensor,
        first: FlexTensor,
        second: FlexTensor,
        step: adamw::Step,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let gradient = row_major(gradient);
        let [mut parameter, mut first, mut second] = [parameter, first, second].map(sole);
        adamw::adamw(
            Level::best(),
            &step,
            values_mut(&mut parameter),
            values(&gradient),
            values_mut(&mut first),
            values_mut(&mut second),
        );
        (parameter, first, second)
    }

    fn fused_blend(old: FlexTensor, new: FlexTensor, keep: f32, take: f32) -> FlexTensor {
        let (mut old, new) = (sole(old), row_major(new));
        adamw::blend(
            Level::best(),
            values_mut(&mut old),
            values(&new),
            keep,
            take,
        );
        old
    }

    fn fused_squares(x: FlexTensor) -> FlexTensor {
        let x = row_major(x);
        let sum = adamw::sum_of_squares(Level::best(), values(&x));
        tensor(vec![sum as f32], [1])
    }
}
