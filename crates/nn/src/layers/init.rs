use burn::module::Param;
use burn::tensor::{Device, Shape, Tensor, TensorData};
use fokker_sim::rng::{Purpose, Stream};

/// Where the initial weights of a network come from: a seed, a device, and a count of the tensors
/// drawn so far. Tensor k of a network depends on (seed, k) alone.
pub struct Init<'a> {
    seed: u64,
    next: u64,
    device: &'a Device,
}

impl<'a> Init<'a> {
    /// Weights from `seed`, on `device` (an autodiff device for training).
    pub fn new(seed: u64, device: &'a Device) -> Self {
        Self {
            seed,
            next: 0,
            device,
        }
    }

    /// The device that the network is made on.
    pub fn device(&self) -> &Device {
        self.device
    }

    /// Independent values uniform on \[−bound, bound\].
    pub fn uniform<const D: usize>(&mut self, shape: [usize; D], bound: f64) -> Param<Tensor<D>> {
        let mut values = vec![0.0_f32; shape.iter().product()];
        self.stream().uniforms(&mut values);
        for v in &mut values {
            *v = (2.0 * *v - 1.0) * bound as f32;
        }
        self.param(values, shape)
    }

    /// Independent N(0, std²) values.
    pub fn normal<const D: usize>(&mut self, shape: [usize; D], std: f64) -> Param<Tensor<D>> {
        let mut values = vec![0.0_f32; shape.iter().product()];
        self.stream().normals(&mut values);
        for v in &mut values {
            *v *= std as f32;
        }
        self.param(values, shape)
    }

    /// A tensor filled with `value`.
    pub fn constant<const D: usize>(&mut self, shape: [usize; D], value: f32) -> Param<Tensor<D>> {
        self.next += 1;
        self.param(vec![value; shape.iter().product()], shape)
    }

    fn stream(&mut self) -> Stream {
        let tensor = self.next;
        self.next += 1;
        Stream::new(self.seed, Purpose::Weights, tensor, 0)
    }

    fn param<const D: usize>(&self, values: Vec<f32>, shape: [usize; D]) -> Param<Tensor<D>> {
        let data = TensorData::new(values, Shape::from(shape));
        Param::from_tensor(Tensor::from_data(data, self.device))
    }
}
