//! Walking over the parameters of a module: names, copies, averages.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

/// Names of nested modules; the variant names of enums are left out, so that a network has the same
/// parameter names inside and outside of an enum.
#[derive(Default)]
pub(crate) struct Path(Vec<String>);

impl Path {
    pub(crate) fn enter(&mut self, name: &str, container: &str) {
        let skip = container.starts_with("Enum:");
        self.0
            .push(if skip { String::new() } else { name.to_owned() });
    }

    pub(crate) fn exit(&mut self) {
        self.0.pop();
    }

    pub(crate) fn name(&self) -> String {
        let parts: Vec<&str> = self
            .0
            .iter()
            .map(String::as_str)
            .filter(|s| !s.is_empty())
            .collect();
        parts.join(".")
    }
}

/// One parameter on the host.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HostTensor {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

/// All parameters of a module, in the order of its fields.
pub(crate) fn collect<M: Module>(module: &M) -> Vec<HostTensor> {
    struct Collect(Path, Vec<HostTensor>);
    impl ModuleVisitor for Collect {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.0.enter(name, container);
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.0.exit();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let data = param.val().into_data().convert::<f32>();
            self.1.push(HostTensor {
                name: self.0.name(),
                shape: data.shape().to_vec(),
                values: data.try_to_vec().expect("converted to f32"),
            });
        }
    }
    let mut visitor = Collect(Path::default(), Vec::new());
    module.visit(&mut visitor);
    visitor.1
}

/// How many numbers of the module ask for gradients.
pub(crate) fn trained<M: Module>(module: &M) -> usize {
    struct Count(usize);
    impl ModuleVisitor for Count {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if param.is_require_grad() {
                self.0 += param.val().shape().num_elements();
            }
        }
    }
    let mut count = Count(0);
    module.visit(&mut count);
    count.0
}

/// The new values of the parameter of this name and shape; `None` leaves it as it is.
pub(crate) type Find<'a> = dyn FnMut(&str, &[usize]) -> Option<Vec<f32>> + 'a;

/// Replaces the module's parameters by the tensors that `find` gives for their names and shapes.
pub(crate) fn replace<M: Module>(module: M, find: &mut Find<'_>, device: &Device) -> M {
    struct Replace<'a> {
        path: Path,
        find: &'a mut Find<'a>,
        device: &'a Device,
    }
    impl ModuleMapper for Replace<'_> {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.path.enter(name, container);
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.exit();
        }
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let shape = param.val().dims();
            let Some(values) = (self.find)(&self.path.name(), &shape) else {
                return param;
            };
            let data = TensorData::new(values, shape);
            param.map(|old| {
                let new = Tensor::from_data(data, self.device);
                new.set_require_grad(old.is_require_grad())
            })
        }
    }
    module.map(&mut Replace {
        path: Path::default(),
        find,
        device,
    })
}

/// Gives parameter k the identity k + 1, so that an optimizer's record of one process fits the
/// module of another.
pub(crate) fn number<M: Module>(module: M) -> M {
    struct Number(u64);
    impl ModuleMapper for Number {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            self.0 += 1;
            let (_, value, mapper) = param.consume();
            Param::from_mapped_value(ParamId::from(self.0), value, mapper)
        }
    }
    module.map(&mut Number(0))
}

/// Moves an exponential moving average: ema ← d·ema + (1 − d)·net, parameter by parameter.
pub(crate) fn average<M: Module>(ema: M, net: &M, decay: f64) -> M {
    struct Values(GradientsParams);
    impl ModuleVisitor for Values {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.register(param.id, param.val().without_autodiff());
        }
    }
    struct Blend(GradientsParams, f64);
    impl ModuleMapper for Blend {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let new = self
                .0
                .remove::<D>(param.id)
                .expect("the average has the network's parameters");
            param.map(|old| fokker_kernels::blend(old, new, self.1))
        }
    }
    let mut values = Values(GradientsParams::new());
    net.visit(&mut values);
    ema.map(&mut Blend(values.0, decay))
}

/// The sum of two sets of gradients of the same module.
pub(crate) fn add<M: Module>(
    module: &M,
    a: GradientsParams,
    b: GradientsParams,
) -> GradientsParams {
    struct Add(GradientsParams, GradientsParams);
    impl ModuleVisitor for Add {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let (a, b) = (self.0.remove::<D>(param.id), self.1.remove::<D>(param.id));
            let sum = match (a, b) {
                (Some(a), Some(b)) => a + b,
                (Some(one), None) | (None, Some(one)) => one,
                (None, None) => return,
            };
            self.0.register(param.id, sum);
        }
    }
    let mut sum = Add(a, b);
    module.visit(&mut sum);
    sum.0
}

/// Scales the gradients so that their joint norm is at most `limit`; returns the norm before.
pub(crate) fn clip<M: Module>(
    module: &M,
    grads: GradientsParams,
    limit: f64,
) -> (GradientsParams, f64) {
    struct Square<'a>(&'a GradientsParams, f64);
    impl ModuleVisitor for Square<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(g) = self.0.get::<D>(param.id) {
                self.1 += fokker_kernels::sum_of_squares(g);
            }
        }
    }
    struct Scale(GradientsParams, f64);
    impl ModuleVisitor for Scale {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(g) = self.0.remove::<D>(param.id) {
                self.0.register(param.id, g.mul_scalar(self.1));
            }
        }
    }
    let mut square = Square(&grads, 0.0);
    module.visit(&mut square);
    let norm = square.1.sqrt();
    if limit > 0.0 && norm > limit {
        let mut scale = Scale(grads, limit / norm);
        module.visit(&mut scale);
        return (scale.0, norm);
    }
    (grads, norm)
}
