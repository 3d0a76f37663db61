//! Running compiled expressions on lane values.

use std::mem::MaybeUninit;
use std::sync::Arc;

use super::op::Op;
use crate::lane::Lane;

/// Where a value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bank {
    Register,
    Output,
    State,
    Noise,
    Time,
}

/// A place in a bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) bank: Bank,
    pub(super) index: u32,
}

impl Slot {
    pub(super) fn new(bank: Bank, index: usize) -> Self {
        let index = u32::try_from(index).expect("fewer places than 2³²");
        Slot { bank, index }
    }
}

/// One operation: reads its operands, then writes its target.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instruction {
    pub(super) op: Op,
    pub(super) target: Slot,
    pub(super) operands: [Slot; 4],
    pub(super) number: f64,
}

/// The sizes of the banks of a program.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sizes {
    pub(super) states: usize,
    pub(super) noises: usize,
    pub(super) outputs: usize,
    pub(super) registers: usize,
}

/// Compiled expressions: a straight list of operations on whole lane values, in which every common
/// part is computed once. It runs once for all trajectories in a lane value, so that its overhead
/// is shared between them. Copies share the list.
#[derive(Clone, Debug)]
pub struct Program {
    /// Sound: see [`Program::new`].
    instructions: Arc<[Instruction]>,
    sizes: Sizes,
}

/// So many registers lie on the stack; more lie on the heap.
const ON_STACK: usize = 32;

/// The first places of the banks, in the order of [`Bank`].
type Banks<L> = [*mut L; 5];

impl Program {
    /// # Panics
    /// When a place is beyond its bank, an input is written, an output is not written, or a
    /// register or output is read before it is written. `eval` relies on this.
    pub(super) fn new(instructions: Vec<Instruction>, sizes: Sizes) -> Self {
        let mut registers = vec![false; sizes.registers];
        let mut outputs = vec![false; sizes.outputs];
        for instruction in &instructions {
            for slot in &instruction.operands[..instruction.op.operands()] {
                let i = slot.index as usize;
                assert!(match slot.bank {
                    Bank::Register => registers[i],
                    Bank::Output => outputs[i],
                    Bank::State => i < sizes.states,
                    Bank::Noise => i < sizes.noises,
                    Bank::Time => i == 0,
                });
            }
            let i = instruction.target.index as usize;
            match instruction.target.bank {
                Bank::Register => registers[i] = true,
                Bank::Output => outputs[i] = true,
                bank => panic!("{bank:?} is not written"),
            }
        }
        assert!(outputs.iter().all(|written| *written));
        Program {
            instructions: instructions.into(),
            sizes,
        }
    }

    /// How many operations an evaluation takes.
    pub fn instructions(&self) -> usize {
        self.instructions.len()
    }

    /// How many numbers come out.
    pub fn outputs(&self) -> usize {
        self.sizes.outputs
    }

    /// How many values are kept at most besides inputs and outputs.
    pub fn registers(&self) -> usize {
        self.sizes.registers
    }

    /// Evaluates the expressions at time `t`, state `x` and noise `dw` (empty where the expressions
    /// have none) and writes their values to `out`.
    ///
    /// The bits are those of the same formula written in Rust with `+ − × ÷` and the functions of
    /// [`Lane`]; no multiply-add is fused.
    ///
    /// # Panics
    /// When a slice is shorter than what the program reads or writes.
    #[inline(always)]
    pub fn eval<L: Lane>(&self, t: L, x: &[L], dw: &[L], out: &mut [L]) {
        let sizes = &self.sizes;
        assert!(
            x.len() >= sizes.states && dw.len() >= sizes.noises && out.len() >= sizes.outputs,
            "a program of {sizes:?}, given {}, {} and {}",
            x.len(),
            dw.len(),
            out.len()
        );
        // Compiled once for each lane type instead of into every loop of every solver; such a
        // function must be told which registers it may use. They are as wide as the lane type is
        // aligned; a version of wide lanes for narrow registers would be huge, and never run.
        #[cfg(target_arch = "x86_64")]
        {
            if const { align_of::<L>() == 64 } {
                assert!(
                    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq")
                );
                // SAFETY: the machine has the registers; the lengths are checked.
                return unsafe { run_avx512(self, &t, x, dw, out) };
            }
            if const { align_of::<L>() == 32 } {
                assert!(is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"));
                // SAFETY: as above.
                return unsafe { run_avx2(self, &t, x, dw, out) };
            }
        }
        // SAFETY: the lengths are checked.
        unsafe { run_portable(self, &t, x, dw, out) }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f,avx512dq")]
unsafe fn run_avx512<L: Lane>(program: &Program, t: &L, x: &[L], dw: &[L], out: &mut [L]) {
    // SAFETY: passed on to the caller.
    unsafe { run(program, t, x, dw, out) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn run_avx2<L: Lane>(program: &Program, t: &L, x: &[L], dw: &[L], out: &mut [L]) {
    // SAFETY: passed on to the caller.
    unsafe { run(program, t, x, dw, out) }
}

#[inline(never)]
unsafe fn run_portable<L: Lane>(program: &Program, t: &L, x: &[L], dw: &[L], out: &mut [L]) {
    // SAFETY: passed on to the caller.
    unsafe { run(program, t, x, dw, out) }
}

/// # Safety
/// The slices are at least as long as the program's sizes say.
#[inline(always)]
unsafe fn run<L: Lane>(program: &Program, t: &L, x: &[L], dw: &[L], out: &mut [L]) {
    let mut on_stack = [const { MaybeUninit::<L>::uninit() }; ON_STACK];
    let mut on_heap: Box<[MaybeUninit<L>]>;
    let registers: *mut MaybeUninit<L> = if program.sizes.registers <= ON_STACK {
        on_stack.as_mut_ptr()
    } else {
        on_heap = Box::new_uninit_slice(program.sizes.registers);
        on_heap.as_mut_ptr()
    };
    let banks: Banks<L> = [
        registers.cast(),
        out.as_mut_ptr(),
        x.as_ptr().cast_mut(),
        dw.as_ptr().cast_mut(),
        std::ptr::from_ref(t).cast_mut(),
    ];
    for instruction in program.instructions.iter() {
        // SAFETY: `Program::new` checked that every place is within its bank, whose length the
        // caller vouches for; that registers are read only after they are written; and that
        // nothing but registers and outputs is written.
        let place = |slot: Slot| unsafe { banks[slot.bank as usize].add(slot.index as usize) };
        let operand = |i: usize| unsafe { *place(instruction.operands[i]) };
        let value = instruction.op.apply(operand, instruction.number);
        // SAFETY: as above.
        unsafe { *place(instruction.target) = value };
    }
}
