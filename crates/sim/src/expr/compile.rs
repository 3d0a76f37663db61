//! Graphs to programs: which values are needed, in which order, and where each lies.

use super::error::ExprError;
use super::graph::{Graph, Origin, Value};
use super::names::Scope;
use super::op::Op;
use super::parse;
use super::program::{Bank, Instruction, Program, Sizes, Slot};

impl Program {
    /// Compiles expressions of the named components of a state, the time `t` and parameters.
    ///
    /// # Errors
    /// What is wrong with an expression, a name or a parameter.
    pub fn compile(
        expressions: &[&str],
        states: &[&str],
        parameters: &[(&str, f64)],
    ) -> Result<Program, ExprError> {
        let mut scope = Scope::new();
        for (i, name) in states.iter().enumerate() {
            let span = super::error::Span::new(0, name.len());
            scope
                .add_state(name, i, span)
                .map_err(|fault| fault.of("the names", name))?;
        }
        for (name, value) in parameters {
            scope.add_parameter(name, *value)?;
        }
        let mut graph = Graph::default();
        let mut outputs = Vec::new();
        for text in expressions {
            let value = parse::expression(text).and_then(|e| graph.lower(&e, &mut scope));
            outputs.push(value.map_err(|fault| fault.of("the expression", text))?);
        }
        Ok(graph.compile(&outputs, states.len(), 0))
    }
}

impl Graph {
    /// The program that computes the outputs. Input 0 is the time; then come the components of the
    /// state, then the noises.
    pub(super) fn compile(&self, outputs: &[Value], states: usize, noises: usize) -> Program {
        let origins = self.fused(outputs);
        let last_use = last_uses(&origins, outputs);
        // A value that is an output lies there at once.
        let mut slots: Vec<Option<Slot>> = vec![None; origins.len()];
        for (i, value) in outputs.iter().enumerate().rev() {
            if matches!(self.origin(*value), Origin::Op { .. }) {
                slots[value.0 as usize] = Some(Slot::new(Bank::Output, i));
            }
        }
        let mut instructions = Vec::new();
        let mut free: Vec<usize> = Vec::new();
        let mut registers = 0;
        for (place, origin) in origins.iter().enumerate() {
            let Some(_) = last_use[place] else { continue };
            let (op, operands, number) = match origin {
                Origin::Input(i) => {
                    slots[place] = Some(input_slot(*i as usize, states));
                    continue;
                }
                Origin::Op {
                    op,
                    operands,
                    number,
                } => (*op, operands, f64::from_bits(*number)),
            };
            let mut from = [Slot::new(Bank::Time, 0); 4];
            let used = &operands[..op.operands()];
            for (slot, value) in from.iter_mut().zip(used) {
                *slot = slots[value.0 as usize].expect("operands come before their use");
            }
            // The operands are read before the target is written, so it may take their place.
            for (i, value) in used.iter().enumerate() {
                let slot = from[i];
                let dies = last_use[value.0 as usize] == Some(place);
                if dies && slot.bank == Bank::Register && !used[..i].contains(value) {
                    free.push(slot.index as usize);
                }
            }
            let target = *slots[place].get_or_insert_with(|| {
                let register = free.pop().unwrap_or_else(|| {
                    registers += 1;
                    registers - 1
                });
                Slot::new(Bank::Register, register)
            });
            instructions.push(Instruction {
                op,
                target,
                operands: from,
                number,
            });
        }
        for (i, value) in outputs.iter().enumerate() {
            let target = Slot::new(Bank::Output, i);
            let slot = slots[value.0 as usize].expect("every output was computed");
            if slot != target {
                instructions.push(Instruction {
                    op: Op::Copy,
                    target,
                    operands: [slot; 4],
                    number: 0.0,
                });
            }
        }
        Program::new(
            instructions,
            Sizes {
                states,
                noises,
                outputs: outputs.len(),
                registers,
            },
        )
    }
}

/// The place of the last value that is made of each value; its own place if it is only an output;
/// nothing if it is not needed.
fn last_uses(origins: &[Origin], outputs: &[Value]) -> Vec<Option<usize>> {
    let mut last = vec![None; origins.len()];
    for value in outputs {
        last[value.0 as usize] = Some(value.0 as usize);
    }
    for (place, origin) in origins.iter().enumerate().rev() {
        if last[place].is_some() {
            for value in origin.operands() {
                let last = &mut last[value.0 as usize];
                *last = (*last).max(Some(place));
            }
        }
    }
    last
}

fn input_slot(input: usize, states: usize) -> Slot {
    match input {
        0 => Slot::new(Bank::Time, 0),
        i if i <= states => Slot::new(Bank::State, i - 1),
        i => Slot::new(Bank::Noise, i - 1 - states),
    }
}
