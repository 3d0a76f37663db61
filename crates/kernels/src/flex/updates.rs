use super::tensors::{like, row_major, values};
use crate::extension::Updates;
use crate::raw::{Level, adamw};
use burn::backend::Flex;
use burn::backend::flex::FlexTensor;

impl Updates for Flex {
    fn fused_adamw(
        parameter: FlexTensor,
        gradient: FlexTensor,
        first: FlexTensor,
        second: FlexTensor,
        step: adamw::Step,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let old = [parameter, gradient, first, second].map(row_major);
        let new = adamw::adamw(Level::best(), &step, old.each_ref().map(values));
        let [parameter, first, second] = new.map(|v| like(v, &old[0]));
        (parameter, first, second)
    }

    fn fused_blend(old: FlexTensor, new: FlexTensor, keep: f32, take: f32) -> FlexTensor {
        let (old, new) = (row_major(old), row_major(new));
        like(
            adamw::blend(Level::best(), values(&old), values(&new), keep, take),
            &old,
        )
    }
}
